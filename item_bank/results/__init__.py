"""What comes of sittings: decisions, corrections, standard setting, cohorts, documents."""
