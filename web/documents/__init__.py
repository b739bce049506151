"""Reports as documents: words, figures, the typesetter, and pages that hand documents out."""
