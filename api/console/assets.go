package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"

	"github.com/labstack/echo/v4"
)

//go:embed assets
var assetFiles embed.FS

// assets are the static files, under an address that changes with their content: a browser may keep them for ever.
type assets struct {
	base  string // "/console/assets/<version>"
	files map[string][]byte
}

func readAssets() (assets, error) {
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		return assets{}, err
	}
	a := assets{files: map[string][]byte{}}
	sum := sha256.New()
	for _, e := range entries { // in order of their names
		data, err := assetFiles.ReadFile(path.Join("assets", e.Name()))
		if err != nil {
			return assets{}, err
		}
		a.files[e.Name()] = data
		sum.Write([]byte(e.Name()))
		sum.Write(data)
	}
	a.base = root + "/assets/" + hex.EncodeToString(sum.Sum(nil)[:6])
	return a, nil
}

// asset answers a static file. A page of another version of the program gets this one's: it is about to be reloaded.
func (c *Console) asset(x echo.Context) error {
	secure(x)
	data, ok := c.assets.files[x.Param("name")]
	if !ok {
		return echo.ErrNotFound
	}
	cache := "no-cache"
	if x.Request().URL.Path == c.assets.base+"/"+x.Param("name") {
		cache = "public, max-age=31536000, immutable"
	}
	x.Response().Header().Set("Cache-Control", cache)
	return x.Blob(http.StatusOK, mediaType(x.Param("name")), data)
}

func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}
