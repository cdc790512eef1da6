"""What was seen becomes a finding with a life."""
