"""What a release must be: whole when it is installed, and no broken promise to those who had the one before."""
