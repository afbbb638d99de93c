let greet = { name, greeting ? "hello" }: "${greeting} ${name}"; in greet { name = "x"; greting = "hi"; }
