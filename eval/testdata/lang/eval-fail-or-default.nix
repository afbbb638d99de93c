{ a = { }; }.a.b or (throw "c")
