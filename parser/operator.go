package parser

import (
	"gonix/parser/ast"
	"gonix/parser/lexer"
)

// assoc says what a op b op c means.
type assoc uint8

const (
	left assoc = iota
	right
	none // an error
)

// operator is a row of the table of operators.
type operator struct {
	level int // precedence; a higher one binds tighter; 0 is no operator
	assoc assoc
	op    ast.Op
}

// The precedences that the table leaves out.
const (
	levelPipe   = 1 // pipes only stand at the level of whole expressions
	levelNot    = 8
	levelHas    = 12 // a ? b
	levelNegate = 13
)

// operators has the binary operators by token.
var operators = [...]operator{
	lexer.Impl:     {2, right, ast.OpImpl},
	lexer.Or:       {3, left, ast.OpOr},
	lexer.And:      {4, left, ast.OpAnd},
	lexer.Eq:       {5, none, ast.OpEq},
	lexer.Neq:      {5, none, ast.OpNeq},
	lexer.Lt:       {6, none, ast.OpLt},
	lexer.Leq:      {6, none, ast.OpLeq},
	lexer.Gt:       {6, none, ast.OpGt},
	lexer.Geq:      {6, none, ast.OpGeq},
	lexer.Update:   {7, right, ast.OpUpdate},
	lexer.Plus:     {9, left, ast.OpAdd},
	lexer.Minus:    {9, left, ast.OpSub},
	lexer.Star:     {10, left, ast.OpMul},
	lexer.Slash:    {10, left, ast.OpDiv},
	lexer.Concat:   {11, right, ast.OpConcat},
	lexer.Question: {level: levelHas},
	lexer.Comma:    {},
}

// pipes parses operators and the pipes between them. a |> b |> c goes from left
// to right, a <| b <| c from right to left, and the two do not mix.
func (p *parse) pipes(c *cursor) (ast.Expr, error) {
	start := c.Peek()
	x, err := p.operators(c, levelPipe+1)
	if err != nil {
		return nil, err
	}
	switch op := c.Peek(); op.Type {
	case lexer.PipeFrom:
		if p.opt.NoPipes {
			return nil, p.noPipes(op)
		}
		c.Skip()
		from := c.Peek()
		if err := p.enter(op); err != nil {
			return nil, err
		}
		y, err := p.pipesFrom(c)
		p.leave()
		if err != nil {
			return nil, err
		}
		return p.join(op, ast.OpPipeFrom, x, y, start, from), nil
	case lexer.PipeInto:
		if p.opt.NoPipes {
			return nil, p.noPipes(op)
		}
		for op := c.Peek(); op.Type == lexer.PipeInto; op = c.Peek() {
			c.Skip()
			if x, err = p.binary(c, start, op, ast.OpPipeInto, x, levelPipe+1); err != nil {
				return nil, err
			}
		}
	}
	return x, nil
}

// pipesFrom parses what stands to the right of <|.
func (p *parse) pipesFrom(c *cursor) (ast.Expr, error) {
	start := c.Peek()
	x, err := p.operators(c, levelPipe+1)
	if err != nil {
		return nil, err
	}
	op := c.Peek()
	if op.Type != lexer.PipeFrom {
		return x, nil
	}
	c.Skip()
	if err := p.enter(op); err != nil {
		return nil, err
	}
	defer p.leave()
	from := c.Peek()
	y, err := p.pipesFrom(c)
	if err != nil {
		return nil, err
	}
	return p.join(op, ast.OpPipeFrom, x, y, start, from), nil
}

// operators parses operands joined by operators of at least the level min.
//
// An operator before its operand may stand to the right of one that binds
// tighter: a + !b is a + (!b), although ! binds looser than +.
func (p *parse) operators(c *cursor, min int) (ast.Expr, error) {
	start := c.Peek()
	outer := p.peak
	p.peak = p.depth
	x, err := p.operand(c)
	if err != nil {
		return nil, err
	}
	last := 0 // level of the operator that made x
	for {
		t := c.Peek()
		if t.Type < 0 || int(t.Type) >= len(operators) {
			break
		}
		op := &operators[t.Type]
		if op.level < min || op.level == 0 {
			break
		}
		if op.assoc == none && op.level == last {
			return nil, p.unexpected(t)
		}
		last = op.level
		c.Skip()
		if op.level == levelHas {
			path, err := p.attrPath(c)
			if err != nil {
				return nil, err
			}
			x = &ast.HasAttr{At: ast.At(x.Pos()), X: x, Path: path}
			if err := p.deepen(t, 1); err != nil {
				return nil, err
			}
			continue
		}
		next := op.level + 1
		if op.assoc == right {
			next = op.level
		}
		if x, err = p.binary(c, start, t, op.op, x, next); err != nil {
			return nil, err
		}
	}
	p.peak = max(p.peak, outer)
	return x, nil
}

// binary parses the right operand of the operator t, whose left one is x.
func (p *parse) binary(c *cursor, start, t lexer.Token, op ast.Op, x ast.Expr, min int) (ast.Expr, error) {
	if err := p.deepen(t, 1); err != nil {
		return nil, err
	}
	if err := p.enter(t); err != nil {
		return nil, err
	}
	from := c.Peek()
	y, err := p.operators(c, min)
	p.leave()
	if err != nil {
		return nil, err
	}
	return p.join(t, op, x, y, start, from), nil
}

// join makes x op y of the operator t; start and from are where x and y start.
func (p *parse) join(t lexer.Token, op ast.Op, x, y ast.Expr, start, from lexer.Token) ast.Expr {
	b := p.slabs.binaries.one()
	*b = ast.Binary{At: p.at(t), Op: op, L: x, R: y, LPos: p.pos(start), RPos: p.pos(from)}
	return b
}

// operand parses an application or an operator before its operand.
func (p *parse) operand(c *cursor) (ast.Expr, error) {
	t := c.Peek()
	op, level := ast.OpNot, levelNot+1
	switch t.Type {
	case lexer.Bang:
	case lexer.Minus:
		op, level = ast.OpNegate, levelNegate
	default:
		return p.application(c)
	}
	c.Skip()
	if err := p.enter(t); err != nil {
		return nil, err
	}
	x, err := p.operators(c, level)
	p.leave()
	if err != nil {
		return nil, err
	}
	if op == ast.OpNot {
		return &ast.Unary{At: ast.At(x.Pos()), Op: op, X: x}, nil
	}
	return &ast.Unary{At: p.at(t), Op: op, X: x}, nil
}
