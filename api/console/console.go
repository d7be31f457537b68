package console

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"github.com/turno-desk/turno/api/command"
	apihttp "github.com/turno-desk/turno/api/http"
	"github.com/turno-desk/turno/domain"
	"github.com/turno-desk/turno/domain/setting"
	"github.com/turno-desk/turno/domain/thread"
	"github.com/turno-desk/turno/projections/history"
	"github.com/turno-desk/turno/projections/queue"
)

// Conversations handles the commands on conversations. *command.Engine is one.
type Conversations interface {
	Do(ctx context.Context, r command.Request, conversation string, c thread.Command) (command.Result, error)
}

// People says whose token it is, and keeps who is there. *command.Settings is one.
type People interface {
	Authenticate(ctx context.Context, bearer string) (command.Principal, error)
	Heartbeat(ctx context.Context, r command.Request, operator string) (command.SettingResult, error)
	Disconnect(ctx context.Context, r command.Request, operator string) (command.SettingResult, error)
}

// Image is the settings as this process knows them. *command.Image is one.
type Image interface {
	Snapshot(ctx context.Context) (*setting.Image, error)
}

// Progress says how far the views have come. *projections.Tracker is one.
type Progress interface {
	Wait(ctx context.Context, projection string, p domain.Position) error
	Position(projection string) domain.Position
}

// Parts is what the console stands on: the same parts as the API. All are required.
type Parts struct {
	Conversations Conversations
	People        People
	Settings      Image
	Hasher        command.Hasher
	Progress      Progress
	Queue         *queue.Queries
	History       *history.Queries
}

// Options are what may be left out.
type Options struct {
	Workspace string      // "default"
	Logger    *zap.Logger // none
	Now       func() time.Time
}

// Console serves the pages of one workspace. Make it with New, give its Mount to the API's server.
type Console struct {
	Parts
	workspace string
	log       *zap.Logger
	now       func() time.Time
	seal      sealer
	catalogue catalogue
	assets    assets
	api       http.Handler // the API's own router, for its push stream
}

// Where everything is.
const (
	root   = "/console"
	signIn = root + "/sign-in"
)

// The views that pages are read from, as the runner names them.
const (
	viewQueue   = "queue"
	viewHistory = "history"
)

// New reads what is embedded. It fails only when that is broken.
func New(p Parts, o Options) (*Console, error) {
	c := &Console{Parts: p, workspace: o.Workspace, log: o.Logger, now: o.Now}
	if c.workspace == "" {
		c.workspace = "default"
	}
	if c.log == nil {
		c.log = zap.NewNop()
	}
	if c.now == nil {
		c.now = time.Now
	}
	var err error
	if c.catalogue, err = readCatalogue(); err != nil {
		return nil, fmt.Errorf("read the console's words: %w", err)
	}
	if c.assets, err = readAssets(); err != nil {
		return nil, fmt.Errorf("read the console's assets: %w", err)
	}
	if c.seal, err = newSealer(p.Hasher, c.workspace); err != nil {
		return nil, fmt.Errorf("make the key of sessions: %w", err)
	}
	return c, nil
}

// Mount adds the console's routes to the API's server; / leads to it. It is called once.
func (c *Console) Mount(e *echo.Echo) {
	c.api = e
	e.GET("/", func(x echo.Context) error {
		secure(x)
		return x.Redirect(http.StatusFound, root)
	})
	e.GET(root+"/assets/:version/:name", c.asset)
	for _, r := range c.routes() {
		e.Add(r.method, r.path, c.guarded(r))
	}
}

// route is one address: who may come there, and who answers.
type route struct {
	method, path string
	anyone       bool // also without a sign-in
	handle       func(*visit) error
}

func (c *Console) routes() []route {
	const get, post = http.MethodGet, http.MethodPost
	routes := []route{
		{get, signIn, true, c.showSignIn},
		{post, signIn, true, c.signIn},
		{post, root + "/sign-out", true, c.signOut},
		{post, root + "/language", true, c.chooseLanguage},
		{get, root, false, c.desk},
		{get, root + "/first-steps", false, c.showFirstSteps},
		{get, root + "/c/:id", false, c.desk},
		{get, root + "/stream", false, c.stream},
		{get, root + "/notices", false, c.notices},
		{post, root + "/presence", false, c.present},
	}
	for _, a := range acts() {
		routes = append(routes, route{post, root + "/c/:id/" + a.name, false, c.act(a)})
	}
	return routes
}

// The API's commands and image are what is asked for here.
var (
	_ Conversations = (*command.Engine)(nil)
	_ People        = (*command.Settings)(nil)
	_ Image         = (*command.Image)(nil)
	_ Conversations = (apihttp.Conversations)(nil)
)
