"""What a setup does to the answers: scores of a text and answers, held against a reference's."""
