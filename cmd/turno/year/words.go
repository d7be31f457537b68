package year

// What a generated desk is called, and what is said there: all of it invented.

// desks are the departments that a generated desk can have. The one without a rule is served by hand.
var desks = []struct {
	id, name, zone, rule string
	scale                string // of its survey; empty: it asks nobody
	tags                 []string
}{
	{"soporte", "Soporte", "America/Argentina/Buenos_Aires", "longest_idle", "1-5", []string{"impresora", "app", "acceso"}},
	{"ventas", "Ventas", "America/Argentina/Buenos_Aires", "", "yes_no", []string{"precio", "stock", "mayorista"}},
	{"envios", "Envíos", "America/Bogota", "least_busy", "1-5", []string{"demora", "direccion", "retiro"}},
	{"facturacion", "Facturación", "America/Argentina/Buenos_Aires", "round_robin", "", []string{"factura", "pago", "reintegro"}},
	{"atendimento", "Atendimento", "America/Sao_Paulo", "longest_idle", "1-5", []string{"troca", "garantia", "cadastro"}},
	{"support", "Support", "Europe/Madrid", "least_busy", "yes_no", []string{"login", "invoice", "delivery"}},
	{"tecnica", "Técnica", "America/Bogota", "round_robin", "1-5", []string{"instalacion", "visita", "repuesto"}},
	{"cuentas", "Cuentas", "America/Argentina/Buenos_Aires", "longest_idle", "1-5", []string{"baja", "plan", "datos"}},
}

// categories are what a close can be filed under.
var categories = []string{"consulta", "reclamo", "pedido", "gestion"}

// tongue is what people say in one language.
type tongue struct {
	begins, asks, answers, thanks, ends, waits []string
	away, reason, note                         string

	stars, thumbs  string   // how a survey asks, by its scale
	yes, no        []string // what answers the second
	pleased, upset []string // comments
}

var tongues = []tongue{
	{
		begins: []string{"Hola, el pedido que hice el lunes no aparece.", "Buenas, necesito cambiar un dato de mi cuenta.", "La pantalla se queda en blanco al entrar.",
			"¿Tienen el modelo azul para entrega esta semana?", "Me llegó una factura con otro importe.", "Quisiera saber cuándo pasa el técnico."},
		asks: []string{"Sí, es ese número.", "Lo intenté dos veces y sigue igual.", "¿Y cuánto demora eso?", "Ahora te mando una foto.", "No, nunca recibí ese aviso.", "Es la segunda vez que me pasa."},
		answers: []string{"Hola, ya lo estoy mirando.", "¿Me confirmás el número que figura arriba?", "Lo veo: quedó retenido y lo acabo de liberar.",
			"Podés probar de nuevo en unos minutos.", "Te lo dejo anotado para mañana temprano.", "Encontré dónde estaba el error."},
		thanks: []string{"¡Gracias!", "Perfecto, muchas gracias.", "Listo, ya funciona."},
		ends:   []string{"De nada, que tengas un buen día.", "Quedamos a disposición.", "Cualquier cosa nos escribís."},
		waits:  []string{"¿Hay alguien?", "Sigo esperando.", "¿Hola?"},
		away:   "Ahora estamos cerrados. Te respondemos al abrir.", reason: "Consulto con depósito", note: "Pide que lo llamen si no hay respuesta.",
		stars:  "¿Cómo te atendimos, del 1 al 5? Respondé con un número o en {{survey.link}}",
		thumbs: "¿Quedaste conforme, sí o no? Respondé acá o en {{survey.link}}",
		yes:    []string{"Sí", "si", "SÍ!", "👍"}, no: []string{"No", "no.", "👎"},
		pleased: []string{"Muy amables.", "Rápido y claro.", "Me lo resolvieron en el momento."}, upset: []string{"Tardaron mucho.", "Tuve que explicarlo dos veces.", "Sigue sin andar."},
	},
	{
		begins: []string{"Oi, meu pedido ainda não chegou.", "Bom dia, quero trocar um produto.", "Não consigo acessar meu cadastro.",
			"O aparelho parou de ligar ontem.", "Vocês entregam no sábado?"},
		asks:    []string{"Sim, esse mesmo.", "Já tentei, continua igual.", "Quanto tempo leva?", "Vou mandar a foto.", "Não recebi nenhum aviso."},
		answers: []string{"Olá, já estou verificando.", "Pode confirmar o número?", "Achei o problema, acabei de liberar.", "Tente de novo em alguns minutos.", "Deixei anotado para amanhã cedo."},
		thanks:  []string{"Obrigada!", "Perfeito, valeu.", "Agora funcionou."},
		ends:    []string{"Por nada, tenha um bom dia.", "Ficamos à disposição.", "Qualquer coisa, é só escrever."},
		waits:   []string{"Tem alguém aí?", "Continuo esperando."},
		away:    "Estamos fechados agora. Respondemos assim que abrirmos.", reason: "Falando com o estoque", note: "Prefere contato pela manhã.",
		stars:  "Como foi o atendimento, de 1 a 5? Responda com um número ou em {{survey.link}}",
		thumbs: "Ficou satisfeito, sim ou não? Responda aqui ou em {{survey.link}}",
		yes:    []string{"Sim", "sim!", "👍"}, no: []string{"Não", "nao", "👎"},
		pleased: []string{"Atendimento ótimo.", "Resolveram na hora."}, upset: []string{"Demorou demais.", "Ninguém soube explicar."},
	},
	{
		begins: []string{"Hi, my parcel says delivered but it isn't here.", "I can't sign in since this morning.", "The invoice has the wrong company name.",
			"Could you tell me if the blue one is in stock?", "The device makes a strange noise."},
		asks:    []string{"Yes, that is the one.", "I tried twice, no change.", "How long will it take?", "I'll send a picture.", "No, I never got that notice."},
		answers: []string{"Hello, I'm looking into it.", "Could you confirm the number for me?", "Found it: it was on hold, I have just released it.", "Please try again in a few minutes.", "I have put it down for tomorrow morning."},
		thanks:  []string{"Thank you!", "Great, thanks a lot.", "It works now."},
		ends:    []string{"You're welcome, have a nice day.", "We're here if you need anything.", "Just write to us again."},
		waits:   []string{"Anybody there?", "Still waiting."},
		away:    "We are closed right now. We'll answer as soon as we open.", reason: "Asking the warehouse", note: "Wants a call when it is solved.",
		stars:  "How did we do, from 1 to 5? Answer with a number or at {{survey.link}}",
		thumbs: "Are you happy with the answer, yes or no? Answer here or at {{survey.link}}",
		yes:    []string{"Yes", "yes!", "Y", "👍"}, no: []string{"No", "no.", "👎"},
		pleased: []string{"Quick and friendly.", "Solved in one go."}, upset: []string{"It took too long.", "I had to explain it twice."},
	},
}

var (
	firstNames = []string{"Abril", "Bruno", "Celia", "Darío", "Elisa", "Fabio", "Gema", "Hugo", "Irma", "Joel", "Kiara", "Lucio", "Mara", "Nuno", "Olga", "Pablo", "Queila", "Rita", "Saulo", "Tania", "Ulises", "Vera", "Walter", "Ximena", "Yago", "Zoe"}
	lastNames  = []string{"Arrieta", "Bastos", "Cuevas", "Duarte", "Esquivel", "Ferraz", "Godoy", "Hidalgo", "Ibarra", "Junco", "Lamas", "Mota", "Nieto", "Olmos", "Paiva", "Quiroga", "Rangel", "Sosa", "Tavares", "Urrutia", "Vidal", "Zapata"}
)

// busy is how much comes in each hour of the day, on the clock of the department.
var busy = [24]int{2, 1, 1, 1, 1, 2, 4, 12, 30, 52, 62, 60, 52, 44, 48, 56, 58, 52, 42, 30, 20, 14, 9, 5}

// weekdays is how much comes on each day of the week, Sunday first.
var weekdays = [7]int{12, 112, 104, 100, 98, 94, 46}
