"""Write a trained model to a file that other programs use, and find its run again."""
