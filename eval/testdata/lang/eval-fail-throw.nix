let lib.fail = msg: throw "failed: ${msg}"; in lib.fail "on purpose"
