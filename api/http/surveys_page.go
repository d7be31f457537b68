package http

import (
	_ "embed"
	"errors"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/survey"
	"github.com/turno-desk/turno/domain/thread"
)

//go:embed survey.html
var surveyHTML string

var surveyTemplate = template.Must(template.New("survey").Parse(surveyHTML))

// surveyWords are what the page says, in the languages of the console.
type surveyWords struct {
	Lang, Question, Yes, No, Comment, Send, Thanks, Change, Expired, Unknown, Failed, Choose string
}

var surveyLanguages = []surveyWords{
	{"en", "How was our service?", "I am satisfied", "I am not satisfied", "Would you like to tell us more? (optional)", "Send",
		"Thank you for your answer.", "You can change it below.", "This survey has ended.", "This survey does not exist.",
		"That did not work. Please try again in a moment.", "Please choose an answer."},
	{"es", "¿Cómo fue nuestra atención?", "Quedé conforme", "No quedé conforme", "¿Quiere contarnos algo más? (opcional)", "Enviar",
		"Gracias por su respuesta.", "Puede cambiarla aquí.", "Esta encuesta ya terminó.", "Esta encuesta no existe.",
		"No funcionó. Pruebe de nuevo en un momento.", "Elija una respuesta."},
	{"pt", "Como foi nosso atendimento?", "Fiquei satisfeito", "Não fiquei satisfeito", "Quer nos contar mais? (opcional)", "Enviar",
		"Obrigado pela sua resposta.", "Você pode mudá-la aqui.", "Esta pesquisa já terminou.", "Esta pesquisa não existe.",
		"Não funcionou. Tente de novo em um momento.", "Escolha uma resposta."},
}

// surveyLanguage is the first language of a browser's list that there is; English otherwise.
func surveyLanguage(accept string) surveyWords {
	for _, one := range strings.Split(clip(accept), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(one), ";")
		lang, _, _ := strings.Cut(tag, "-")
		for _, w := range surveyLanguages {
			if strings.EqualFold(lang, w.Lang) {
				return w
			}
		}
	}
	return surveyLanguages[0]
}

// surveyView is what the page shows.
type surveyView struct {
	surveyWords
	Department string
	Note       string // what stands above the form
	Form       bool
	Stars      bool
	Scores     []int
	Score      int
	Satisfied  string // yes, no
}

// surveyPage is the page that an invitation leads to, where a department's page is ours. It works without scripts.
func (s *Server) surveyPage(c echo.Context) error { return s.showSurvey(c, http.StatusOK, nil) }

// answerOnPage takes what the form of the page sends.
func (s *Server) answerOnPage(c echo.Context) error {
	rate, ok := readSurveyForm(c.Request())
	if !ok {
		return s.showSurvey(c, http.StatusUnprocessableEntity, func(w surveyWords) string { return w.Choose })
	}
	err := s.rateBy(c.Request().Context(), c.Param("token"), "", rate)
	var refused *domain.Refusal
	switch {
	case err == nil:
		return s.showSurvey(c, http.StatusOK, nil)
	case errors.As(err, &refused):
		p, _ := problem(err)
		return s.showSurvey(c, p.Status, func(w surveyWords) string {
			if refused.Code == thread.CodeSurveyScale {
				return w.Choose
			}
			return w.Failed
		})
	}
	return err
}

// readSurveyForm is the rating in a form of the page; false when there is none, or the form is no such one.
func readSurveyForm(r *http.Request) (thread.Rate, bool) {
	const most = 16 << 10
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil || len(body) > most {
		return thread.Rate{}, false
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return thread.Rate{}, false
	}
	rate := thread.Rate{Comment: domain.Personal(strings.TrimSpace(form.Get("comment")))}
	if n, err := strconv.Atoi(form.Get("score")); err == nil && n >= 1 && n <= 5 {
		rate.Score = n
		return rate, true
	}
	yes := form.Get("satisfied") == "yes"
	rate.Satisfied = &yes
	return rate, yes || form.Get("satisfied") == "no"
}

// showSurvey writes the page as the survey stands. note says what went wrong, where something did.
func (s *Server) showSurvey(c echo.Context, status int, note func(surveyWords) string) error {
	v := surveyView{surveyWords: surveyLanguage(c.Request().Header.Get("Accept-Language")), Scores: []int{1, 2, 3, 4, 5}}
	q, err := s.Surveys.Question(c.Request().Context(), s.workspace, c.Param("token"))
	var refused *domain.Refusal
	switch {
	case errors.As(err, &refused):
		status, v.Note = http.StatusNotFound, v.Unknown
	case err != nil:
		p, _ := problem(err)
		status, v.Note = p.Status, v.Failed
		s.log.Error("a survey could not be shown")
	case q.Expired:
		v.Note = v.Expired
	default:
		v.Form, v.Stars, v.Department = true, q.Scale == survey.Stars, q.Department
		if q.Rating != nil {
			v.Note = v.Thanks + " " + v.Change
			v.Score = q.Rating.Score
			if yes := q.Rating.Satisfied; yes != nil {
				v.Satisfied = map[bool]string{true: "yes", false: "no"}[*yes]
			}
		}
		if note != nil {
			v.Note = note(v.surveyWords)
		}
	}
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	c.Response().WriteHeader(status)
	return surveyTemplate.Execute(c.Response(), v)
}
