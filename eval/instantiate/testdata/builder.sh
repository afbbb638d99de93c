echo builder
