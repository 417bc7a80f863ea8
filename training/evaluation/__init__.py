"""What finished games say of a player: win rates and ratings, each with how sure it is."""
