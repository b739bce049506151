"""Pages of banks and items: where they stand, previews, sign-offs, moves and comments."""
