package demo

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// Script runs a small service desk: two departments, five operators and a supervisor, and as many customers as o.Parallel,
// who come back until `conversations` of them are over (0: until o.For is over). What they say is made up.
func Script(ctx context.Context, c *Client, conversations int64, o Options, r *Report) error {
	if err := setUpScript(ctx, c); err != nil {
		return err
	}
	ctx, end := o.limited(ctx)
	defer end()
	limit := newLimit(o.Rate)
	run := fmt.Sprintf("demo-%d", time.Now().UnixNano())
	next := make(chan int64)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(next)
		for n := int64(1); conversations == 0 || n <= conversations; n++ {
			select {
			case next <- n:
			case <-ctx.Done():
				return nil
			}
			if o.Progress != nil && n%100 == 0 {
				o.Progress(r.String())
			}
		}
		return nil
	})
	for range max(1, o.Parallel) {
		group.Go(func() error {
			for n := range next {
				s := story{client: c, ctx: ctx, r: r, wait: paced(limit), id: fmt.Sprintf("%s-%d", run, n), customer: n % 500}
				if err := s.tell(); err != nil && ctx.Err() == nil {
					return fmt.Errorf("conversation %d: %w", n, err)
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// The desk's departments; each has a channel of the same id. All ids of the demo begin with demo-: it must not redefine what a
// desk has already, an operator ana for one.
const (
	soporte = "demo-soporte"
	ventas  = "demo-ventas"
)

// team is who answers where.
var team = []struct {
	id, name, role string
	departments    []string
}{
	{"demo-ana", "Ana Prado", "operator", []string{soporte}},
	{"demo-beto", "Beto Lima", "operator", []string{ventas}},
	{"demo-carla", "Carla Núñez", "operator", []string{soporte}},
	{"demo-dario", "Darío Vidal", "operator", []string{soporte, ventas}},
	{"demo-elsa", "Elsa Rocha", "operator", []string{ventas}},
	{"demo-sara", "Sara Molina", "supervisor", []string{soporte, ventas}},
}

func setUpScript(ctx context.Context, c *Client) error {
	put := func(path string, body map[string]any) error {
		if _, err := c.Do(ctx, http.MethodPut, path, "", "", body); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		return nil
	}
	for id, name := range map[string]string{soporte: "Soporte", ventas: "Ventas"} {
		if err := put("/v1/departments/"+id, map[string]any{"name": name}); err != nil {
			return err
		}
		if err := put("/v1/channels/"+id, map[string]any{"type": "generic", "name": "Web " + name, "department": id}); err != nil {
			return err
		}
	}
	for _, op := range team {
		if err := put("/v1/operators/"+op.id, map[string]any{"name": op.name, "role": op.role, "departments": op.departments}); err != nil {
			return err
		}
	}
	return nil
}

// What people say, with one question and its answer in each row.
var talk = [][2]string{
	{"Hola, mi pedido todavía no llegó.", "Buenas, ya lo reviso. ¿Me das el número?"},
	{"É possível trocar o produto?", "Claro, você tem 30 dias para trocar."},
	{"My invoice shows the wrong name.", "I can correct that for you right away."},
	{"¿Hacen envíos al interior?", "Sí, en tres a cinco días."},
	{"Não consigo entrar na minha conta.", "Vou enviar um link para redefinir a senha."},
	{"Is the blue one still available?", "It is, in two sizes."},
	{"Quiero cancelar la suscripción.", "Lamento leerlo. ¿Puedo preguntarte el motivo?"},
	{"Gracias, ya quedó.", "Me alegro. ¿Algo más?"},
}

// story is one conversation from the first message to the rating.
type story struct {
	client   *Client
	ctx      context.Context
	r        *Report
	wait     func(context.Context) error
	id       string
	customer int64
	steps    int

	conversation string
	department   string
	owner        string
}

// say sends one command under a key of its own.
func (s *story) say(path, actor string, body map[string]any) error {
	if err := s.wait(s.ctx); err != nil {
		return err
	}
	s.steps++
	a, err := s.client.Do(s.ctx, http.MethodPost, path, actor, fmt.Sprintf("%s-%d", s.id, s.steps), body)
	if err == nil && a.Conversation.ID != "" {
		s.conversation = a.Conversation.ID
	}
	return err
}

func (s *story) act(action, actor string, body map[string]any) error {
	return s.say("/v1/conversations/"+s.conversation+"/"+action, actor, body)
}

func (s *story) writes(text string) error {
	s.r.In.Add(1)
	return s.say("/v1/channels/"+s.department+"/messages", "contact", map[string]any{
		"message_id": fmt.Sprintf("%s-%d", s.id, s.steps+1), "kind": "text", "text": text,
		"from": map[string]any{"address": fmt.Sprintf("demo-%d", s.customer), "name": fmt.Sprintf("Cliente %d", s.customer)},
	})
}

func (s *story) answers(text string) error {
	s.r.Out.Add(1)
	return s.act("messages", "operator:"+s.owner, map[string]any{"text": text})
}

// pick is a random operator of a department.
func pick(department string) string {
	for {
		op := team[rand.IntN(len(team)-1)]
		for _, d := range op.departments {
			if d == department {
				return op.id
			}
		}
	}
}

func (s *story) tell() error {
	s.r.Dialogues.Add(1)
	s.department = []string{soporte, ventas}[rand.IntN(2)]
	home := s.department
	s.owner = pick(s.department)
	steps := []func() error{
		func() error { return s.writes(talk[rand.IntN(len(talk))][0]) },
		func() error { return s.act("take", "operator:"+s.owner, map[string]any{}) },
	}
	for range 1 + rand.IntN(4) {
		line := talk[rand.IntN(len(talk))]
		steps = append(steps, func() error { return s.answers(line[1]) }, func() error { return s.writes(line[0]) })
	}
	if rand.IntN(5) == 0 {
		steps = append(steps,
			func() error {
				return s.act("pause", "operator:"+s.owner, map[string]any{"reason": "consulta a depósito"})
			},
			func() error { return s.answers("Gracias por esperar, ya tengo la respuesta.") })
	}
	if rand.IntN(5) == 0 {
		steps = append(steps, s.moves)
	}
	if rand.IntN(4) == 0 {
		steps = append(steps, func() error {
			return s.act("notes", "operator:"+s.owner, map[string]any{"text": "Cliente frecuente, conviene ofrecer envío sin cargo."})
		})
	}
	steps = append(steps,
		func() error {
			return s.act("tags", "operator:"+s.owner, map[string]any{"add": []string{[]string{"envio", "factura", "cuenta"}[rand.IntN(3)]}})
		},
		func() error { return s.answers("¡Hasta pronto!") },
		func() error {
			return s.act("close", "operator:"+s.owner, map[string]any{"category": "resuelto", "summary": "Se respondió la consulta."})
		})
	for _, step := range steps {
		err := step()
		var p *Problem
		if errors.As(err, &p) && p.Status < 500 { // somebody else was faster: another customer of the demo has this contact
			s.r.Refused.Add(1)
			s.r.Open.Add(1)
			return nil
		}
		if err != nil {
			if s.conversation != "" { // cut off in the middle
				s.r.Open.Add(1)
			}
			return err
		}
	}
	s.department = home
	s.r.Closed.Add(1)
	if rand.IntN(3) == 0 {
		s.r.Rated.Add(1)
		return s.act("rate", "contact", map[string]any{"score": 3 + rand.IntN(3)})
	}
	return nil
}

// moves transfers the conversation to the other department, where somebody takes it.
func (s *story) moves() error {
	other := map[string]string{soporte: ventas, ventas: soporte}[s.department]
	if err := s.act("transfer", "operator:"+s.owner, map[string]any{"department": other, "reason": "lo ve mejor el otro equipo"}); err != nil {
		return err
	}
	s.owner = pick(other)
	return s.act("take", "operator:"+s.owner, map[string]any{})
}
