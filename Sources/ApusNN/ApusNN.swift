// Grows into its module; see design.
