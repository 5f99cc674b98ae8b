"""Physical constants (CODATA 2018, exact since the 2019 revision of the SI)."""

F = 96485.33212  # Faraday constant [C/mol]
R = 8.314462618  # gas constant [J/(mol K)]
