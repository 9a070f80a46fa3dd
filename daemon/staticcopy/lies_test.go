package staticcopy

import (
	"net/http"
	"os"
	"path/filepath"
)

func serveBent(dir string, bend func(dir, path string) (string, bool)) http.HandlerFunc {
	honest := http.FileServer(http.Dir(dir))
	return func(out http.ResponseWriter, r *http.Request) {
		if bend != nil {
			if content, ok := bend(dir, r.URL.Path); ok {
				if content == "" {
					http.NotFound(out, r)
					return
				}
				_, _ = out.Write([]byte(content))
				return
			}
		}
		honest.ServeHTTP(out, r)
	}
}

func content(dir, path string) string {
	raw, _ := os.ReadFile(filepath.Join(dir, path)) // what is not there is empty
	return string(raw)
}

// flipped changes a byte of a file; a negative place counts from its end.
func flipped(file string, at int) func(string, string) (string, bool) {
	return func(dir, path string) (string, bool) {
		raw := []byte(content(dir, file))
		place := at
		if place < 0 {
			place += len(raw)
		}
		raw[place] ^= 1
		return string(raw), path == "/"+file
	}
}

func cut(file string) func(string, string) (string, bool) {
	return func(dir, path string) (string, bool) {
		raw := content(dir, file)
		return raw[:len(raw)/2], path == "/"+file
	}
}

func gone(file string) func(string, string) (string, bool) {
	return func(_, path string) (string, bool) { return "", path == "/"+file }
}

func instead(file, other string) func(string, string) (string, bool) {
	return func(dir, path string) (string, bool) { return content(dir, other), path == "/"+file }
}

func endless(out http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := out.Write(make([]byte, 1<<20)); err != nil {
			return
		}
	}
}

func truncated(out http.ResponseWriter, _ *http.Request) {
	out.Header().Set("Content-Length", "500")
	_, _ = out.Write([]byte(`{"format":1`))
}

func elsewhere(out http.ResponseWriter, r *http.Request) {
	http.Redirect(out, r, "http://127.0.0.1:1/", http.StatusFound)
}

func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func stops(out http.ResponseWriter, r *http.Request) {
	_, _ = out.Write([]byte(`{"format"`))
	_ = http.NewResponseController(out).Flush()
	<-r.Context().Done()
}
