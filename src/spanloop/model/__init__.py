"""How a model reads text and answers: what training and scoring share."""
