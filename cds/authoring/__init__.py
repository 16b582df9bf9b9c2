"""For those who write rules: cases, and the mutants that show whether the cases notice a change."""
