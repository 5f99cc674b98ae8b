"""Keys of a case by least squares against measurements."""
