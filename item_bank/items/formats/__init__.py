"""The file formats that items come in and go out by."""
