"""What bench/run is made of: networks, the programs that are measured, the table of cases, plots."""
