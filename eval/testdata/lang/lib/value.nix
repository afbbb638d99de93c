"value of a file"
