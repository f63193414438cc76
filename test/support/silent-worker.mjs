// Ends without an answer.
