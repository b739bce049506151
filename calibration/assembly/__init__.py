"""Forms and panels from a bank: what the commands ``tarozu assemble`` write."""
