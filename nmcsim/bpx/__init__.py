"""Battery Parameter eXchange files to materials."""
