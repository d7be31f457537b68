package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/turno-desk/turno/adapters/sqlstore"
	"github.com/turno-desk/turno/cmd/turno/bench"
	"github.com/turno-desk/turno/domain"
)

// done runs a subcommand that must end well, and returns what it printed.
func done(t *testing.T, args ...string) string {
	t.Helper()
	out, errs, err := turno(t, append(args, "--log-level", "error")...)
	if err != nil {
		t.Fatalf("turno %s: %v\n%s", strings.Join(args, " "), err, errs)
	}
	return out
}

// refused runs a subcommand that must fail, and expects words in what it says.
func refused(t *testing.T, args []string, says ...string) {
	t.Helper()
	out, _, err := turno(t, append(args, "--log-level", "error")...)
	if err == nil {
		t.Errorf("turno %s: it did\n%s", strings.Join(args, " "), out)
		return
	}
	for _, word := range says {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("turno %s: %v; it does not say %q", strings.Join(args, " "), err, word)
		}
	}
}

// status is the status of a GET, and the code of its problem.
func (a api) status(path string, header ...string) (int, string) {
	a.t.Helper()
	req, err := http.NewRequest("GET", a.url+path, nil)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+adminToken)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer resp.Body.Close()
	var problem struct{ Code string }
	if resp.StatusCode != 200 {
		_ = json.NewDecoder(resp.Body).Decode(&problem) // its absence fails the comparison
	}
	return resp.StatusCode, problem.Code
}

// ticket is the number of a conversation.
func (a api) ticket(id string, at int64) int64 {
	a.t.Helper()
	return a.patiently("/v1/conversations/" + id + "?" + after(at)).number("ticket")
}

// files are the backups of a folder, log and vault.
func files(t *testing.T, dir string) (log, vault string) {
	t.Helper()
	for pattern, to := range map[string]*string{"log-*.turno": &log, "vault-*.turno": &vault} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		*to = found[0]
	}
	return log, vault
}

// TestALostLogComesBackAndEveryReaderIsTold works, backs up, works on, is killed, restores the older backup, and serves on
// with the views that are ahead of it.
func TestALostLogComesBackAndEveryReaderIsTold(t *testing.T) {
	dir, kept := t.TempDir(), t.TempDir()
	serve := start(t, "serve", "--data", dir, "--http", "127.0.0.1:0")
	desk := serve.api()
	desk.furnish()
	first, at := desk.receive("m-1", "+1 555 0100", "My printer is on fire")
	taken := desk.post("ana", "/v1/conversations/"+first+"/take", nil)
	before := desk.ticket(first, taken.number("position"))

	out := done(t, "backup", "--data", dir, "--to", kept, "--vault", kept)
	log, keys := files(t, kept)
	saved := taken.number("position")
	if !strings.Contains(out, fmt.Sprintf("up to position %d", saved)) {
		t.Errorf("the backup is of position %d, and says:\n%s", saved, out)
	}
	if out := done(t, "backup", "verify", log, "--vault", keys); !strings.Contains(out, "is whole") || !strings.Contains(out, "All others are in the vault") {
		t.Errorf("verified:\n%s", out)
	}

	// What is lost: a second customer, with a number, a position and an idempotent command; and an answer to the first.
	second, lost := desk.receive("m-2", "+1 555 0200", "Hello")
	late := desk.ticket(second, lost)
	desk.post("ana", "/v1/conversations/"+first+"/messages", object{"text": "Step away from it."})
	desk.patiently("/v1/queues/support?" + after(lost))
	serve.kill()

	refused(t, []string{"restore", "--data", dir, "--from", log}, "has a log", "--replace")
	out = done(t, "restore", "--data", dir, "--from", log, "--vault", keys, "--replace")
	for _, want := range []string{"Epoch 1", "are left out", "All others are in the vault", "log.replaced-"} {
		if !strings.Contains(out, want) {
			t.Errorf("the restore does not say %q:\n%s", want, out)
		}
	}

	serve = start(t, "serve", "--data", dir, "--http", "127.0.0.1:0")
	desk = serve.api()
	again, at2 := desk.receive("m-1", "+1 555 0100", "My printer is on fire")
	if again != first || at2 != at {
		t.Errorf("a message of before the backup made %s at %d, it was %s at %d", again, at2, first, at)
	}
	third, now := desk.receive("m-2", "+1 555 0200", "Hello")
	if third == second {
		t.Error("the lost conversation's id came again")
	}
	if epoch := domain.Position(now) >> domain.EpochBits; epoch != 1 {
		t.Errorf("position %d is of epoch %d", now, epoch)
	}
	if number := desk.ticket(third, now); number <= late || number <= before {
		t.Errorf("ticket %d was handed out when %d and %d may have been", number, before, late)
	}
	row := desk.patiently("/v1/queues/support?state=waiting,attending&" + after(now))
	if got := len(row.list("items")); got != 2 {
		t.Errorf("the queue has %d rows, want 2: %v", got, row)
	}
	messages := desk.get("/v1/conversations/" + first + "/messages?" + after(now))
	if got := len(messages.list("items")); got != 1 || messages.text("items", 0, "text") != "My printer is on fire" {
		t.Errorf("history has %d messages of the first: %v", got, messages)
	}
	if said := serve.stderr.String(); !strings.Contains(said, "the view is rebuilt") {
		t.Error("no view said that it is built anew")
	}

	for path, want := range map[string]int{
		"/v1/events?" + after(lost):                             410,
		"/v1/stream?" + after(lost):                             410,
		"/v1/queues/support?" + after(lost):                     410,
		"/v1/queues?as_of=" + strconv.FormatInt(lost, 10):       410,
		"/v1/events?" + after(saved):                            200,
		"/v1/queues?as_of=" + strconv.FormatInt(saved, 10):      200,
		"/v1/queues?as_of=" + strconv.FormatInt(now, 10):        200,
		"/v1/events?" + after(int64(2<<domain.EpochBits|lost)):  422,
		"/v1/conversations/" + first + "/messages?" + after(at): 200,
	} {
		if got, code := desk.status(path); got != want || want == 410 && code != "position_lost" {
			t.Errorf("GET %s: %d %s, want %d", path, got, code, want)
		}
	}
	if got, code := desk.status("/v1/stream", "Last-Event-ID", strconv.FormatInt(lost, 10)); got != 410 || code != "position_lost" {
		t.Errorf("a push resumed where nothing is any more: %d %s", got, code)
	}
	serve.end()

	// The same backup once more: the positions of epoch 1 were handed out too.
	out = done(t, "restore", "--data", dir, "--from", log, "--vault", keys, "--replace", "--lost-number", "4000000")
	if !strings.Contains(out, "Epoch 2") || !strings.Contains(out, "the next is 4000001") {
		t.Errorf("the second restore says:\n%s", out)
	}
	refused(t, []string{"restore", "--data", dir, "--from", log, "--vault", keys, "--replace", "--epoch", "2"}, "past")
	s := serveOn(t, dir)
	fourth, last := s.receive("m-2", "+1 555 0200", "Hello")
	if epoch := domain.Position(last) >> domain.EpochBits; epoch != 2 || s.ticket(fourth, last) <= 4000000 {
		t.Errorf("position %d, ticket %d", last, s.ticket(fourth, last))
	}
	if got, _ := s.status("/v1/events?" + after(now)); got != 410 {
		t.Errorf("a position of the epoch before: %d, want 410", got)
	}
}

func TestABackupOfAFolderAtRestIsThatOfOneThatRuns(t *testing.T) {
	dir := t.TempDir()
	s := serveOn(t, dir)
	s.furnish()
	s.receive("m-1", "+1 555 0100", "Hello")
	running, resting := filepath.Join(t.TempDir(), "running"), filepath.Join(t.TempDir(), "resting")
	done(t, "backup", "--data", dir, "--to", running)
	s.stop()
	done(t, "backup", "--data", dir, "--to", resting)
	refused(t, []string{"backup", "--data", dir, "--to", resting}, "is there already")
	refused(t, []string{"backup", "--data", dir}, "--to", "--vault")
	refused(t, []string{"backup", "--data", dir, "--to", resting + "2", "--log", "esdb://127.0.0.1:1"}, "EventStoreDB")
	into := t.TempDir()
	one := filepath.Join(into, "one")
	linked := filepath.Join(t.TempDir(), "linked")
	if err := os.Symlink(into, linked); err != nil {
		t.Fatal(err)
	}
	refused(t, []string{"backup", "--data", dir, "--to", one, "--vault", one}, "no folder")
	refused(t, []string{"backup", "--data", dir, "--to", one, "--vault", filepath.Join(linked, "one")}, "no folder")
	refused(t, []string{"backup", "--data", dir, "--to", one, "--vault", resting}, "back up the vault", "is there already")
	refused(t, []string{"backup", "--data", dir, "--to", one, "--vault", filepath.Join(into, "nowhere", "vault")}, "back up the vault")
	if left, err := os.ReadDir(into); err != nil || len(left) > 0 {
		t.Errorf("backups that could not be made left %v, %v", left, err)
	}
	a, b := strings.Fields(done(t, "backup", "verify", running)), strings.Fields(done(t, "backup", "verify", resting))
	if a[12] == "" || strings.Join(a[3:6], " ") != strings.Join(b[3:6], " ") {
		t.Errorf("%v\n%v", a, b)
	}
	out := done(t, "backup", "--data", dir, "--to", "-")
	piped := filepath.Join(t.TempDir(), "piped")
	if err := os.WriteFile(piped, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	done(t, "backup", "verify", piped)
}

func TestADamagedBackupIsRefusedWithItsPlace(t *testing.T) {
	dir, kept := t.TempDir(), t.TempDir()
	s := serveOn(t, dir)
	s.furnish()
	s.receive("m-1", "+1 555 0100", "Hello")
	s.stop()
	done(t, "backup", "--data", dir, "--to", kept, "--vault", kept)
	log, vault := files(t, kept)
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for name, file := range map[string][]byte{
		"cut":     whole[:len(whole)-50],
		"changed": append(append(bytes.Clone(whole[:len(whole)/2]), whole[len(whole)/2]^1), whole[len(whole)/2+1:]...),
	} {
		bad := filepath.Join(kept, name)
		if err := os.WriteFile(bad, file, 0o600); err != nil {
			t.Fatal(err)
		}
		refused(t, []string{"backup", "verify", bad}, "chunk", "at byte")
		into := t.TempDir()
		refused(t, []string{"restore", "--data", into, "--from", bad}, "chunk", "at byte")
		refused(t, []string{"serve", "--data", into, "--http", "127.0.0.1:0"}, "not whole")
		done(t, "restore", "--data", into, "--from", log, "--vault", vault)
	}
	refused(t, []string{"restore", "--data", t.TempDir(), "--from", vault}, "a backup of a vault")
	refused(t, []string{"restore", "--data", t.TempDir(), "--from", os.Args[0]}, "no backup")
}

// TestAVaultOlderOrNewerThanItsLogIsNoCrash restores with keys missing, and with erased ones back.
func TestAVaultOlderOrNewerThanItsLogIsNoCrash(t *testing.T) {
	dir, early, late := t.TempDir(), t.TempDir(), t.TempDir()
	s := serveOn(t, dir)
	s.furnish()
	one, _ := s.receive("m-1", "+1 555 0100", "Words of the first")
	done(t, "backup", "--data", dir, "--vault", filepath.Join(early, "vault-1.turno"), "--to", filepath.Join(early, "log-1.turno"))
	s.stop()
	s = serveOn(t, dir) // what follows is sealed with keys that are not in the first backup: those were made ahead
	two, at := s.receive("m-2", "+1 555 0200", "Words of the second")
	contact := s.get("/v1/conversations/"+one+"?"+after(at)).text("contact", "id")
	s.call(200, "", "POST", "/v1/contacts/"+contact+"/erase", nil)
	done(t, "backup", "--data", dir, "--vault", filepath.Join(late, "vault-2.turno"), "--to", filepath.Join(late, "log-2.turno"))
	s.stop()
	master, err := os.ReadFile(filepath.Join(dir, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	words := func(s *server, id string, at int64) string {
		return s.get("/v1/conversations/"+id+"/messages?"+after(at)).text("items", 0, "text")
	}
	onto := func(log, vault string) (*server, string) {
		t.Helper()
		into := t.TempDir()
		if err := os.WriteFile(filepath.Join(into, "master.key"), master, 0o600); err != nil {
			t.Fatal(err)
		}
		out := done(t, "restore", "--data", into, "--from", log, "--vault", vault)
		return serveOn(t, into), out
	}

	older, out := onto(filepath.Join(late, "log-2.turno"), filepath.Join(early, "vault-1.turno"))
	if !regexp.MustCompile(`[1-9]\d* are not in the vault`).MatchString(out) || !strings.Contains(out, "destroy this backup") {
		t.Errorf("an older vault: it says\n%s", out)
	}
	if got := words(older, two, at); strings.Contains(got, "Words") {
		t.Errorf("words without a key: %q", got)
	}
	if got := words(older, one, at); strings.Contains(got, "Words") {
		t.Errorf("an old vault brought the words of the erased back: %q", got)
	}
	older.receive("m-9", "+1 555 0900", "A new customer is served")
	older.stop()

	newer, out := onto(filepath.Join(early, "log-1.turno"), filepath.Join(late, "vault-2.turno"))
	if strings.Contains(out, "All others") {
		t.Errorf("a newer vault lacks what was erased meanwhile, and it says\n%s", out)
	}
	newer.receive("m-9", "+1 555 0900", "A new customer is served")
	newer.stop()
}

func TestAVaultWithoutItsLogIsRefusedAndALogWithoutItsVaultToo(t *testing.T) {
	dir, kept := t.TempDir(), t.TempDir()
	s := serveOn(t, dir)
	s.furnish()
	id, at := s.receive("m-1", "+1 555 0100", "Hello")
	s.stop()
	done(t, "backup", "--data", dir, "--to", kept, "--vault", kept)
	log, vault := files(t, kept)
	streams := filepath.Join(dir, "log", "jetstream", "$G", "streams")

	lose := func(stream string) {
		t.Helper()
		if err := os.RemoveAll(filepath.Join(streams, stream)); err != nil {
			t.Fatal(err)
		}
	}
	lose("TURNO")
	refused(t, []string{"serve", "--data", dir, "--http", "127.0.0.1:0"}, "turno restore")
	out := done(t, "restore", "--data", dir, "--from", log, "--lost-head", strconv.FormatInt(at, 10)) // the folder's vault stays
	if !strings.Contains(out, "Nothing was lost") || !strings.Contains(out, "The vault that was there stays") {
		t.Errorf("it says\n%s", out)
	}
	check := func() {
		t.Helper()
		s := serveOn(t, dir)
		defer s.stop()
		if got := s.get("/v1/conversations/"+id+"/messages?"+after(at)).text("items", 0, "text"); got != "Hello" {
			t.Errorf("the message reads %q", got)
		}
		if said := s.said.String(); strings.Contains(said, "rebuilt") {
			t.Error("a view was built anew though nothing was lost")
		}
	}
	check()

	lose("TURNO_VAULT")
	refused(t, []string{"serve", "--data", dir, "--http", "127.0.0.1:0"}, "turno restore --vault")
	done(t, "restore", "--data", dir, "--vault", vault)
	check()
}

// digests are the fingerprints of the views of a folder that nothing runs on.
func digests(t *testing.T, dir string) map[string]string {
	t.Helper()
	views, err := sqlstore.Open(dir, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer views.Close()
	all := map[string]string{}
	for _, name := range projectionNames {
		if all[name], err = sqlstore.Digest(t.Context(), views.Reader(name)); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestAFolderMovesOntoAClusterAndBack moves, serves there with fresh views, and comes back by backup and restore.
func TestAFolderMovesOntoAClusterAndBack(t *testing.T) {
	dir := t.TempDir()
	s := serveOn(t, dir)
	s.furnish()
	id, _ := s.receive("m-1", "+1 555 0100", "My printer is on fire")
	s.post("ana", "/v1/conversations/"+id+"/messages", object{"text": "Step away from it."})
	_, at := s.receive("m-2", "+1 555 0200", "Hello")
	for _, view := range []string{"queue", "history", "stats", "directory"} {
		s.reached(view, at)
	}
	s.stop()
	want := digests(t, dir)

	cluster, err := bench.StartCluster(t.TempDir(), "off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Stop)
	urls := strings.Join([]string{cluster.URL(0), cluster.URL(1), cluster.URL(2)}, ",")
	if out := done(t, "move", "--data", dir, "--to-nats", urls); !strings.Contains(out, "moved and compared") {
		t.Errorf("it says\n%s", out)
	}
	refused(t, []string{"serve", "--data", dir, "--http", "127.0.0.1:0"}, "was moved to", cluster.URL(1))
	done(t, "replay", "--data", dir) // it can be read on
	if out := done(t, "move", "--data", dir, "--to-nats", urls); !strings.Contains(out, "going on behind them") {
		t.Errorf("moved again, it says\n%s", out)
	}
	fresh := t.TempDir()
	key, err := os.ReadFile(filepath.Join(dir, "master.key"))
	if err == nil {
		err = os.WriteFile(filepath.Join(fresh, "master.key"), key, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	onCluster := []string{"--nats", urls, "--replicas", "3"}
	there := serveOn(t, fresh, onCluster...)
	for _, view := range []string{"queue", "history", "stats", "directory"} {
		there.reached(view, at)
	}
	there.stop()
	for name, is := range digests(t, fresh) {
		if is != want[name] {
			t.Errorf("view %s is not what it was before the move", name)
		}
	}
	there = serveOn(t, dir, onCluster...) // and with the views that were there
	_, now := there.receive("m-3", "+1 555 0300", "Hello")
	if now <= at || now>>domain.EpochBits != 0 {
		t.Errorf("after the move a commit is at %d, the last was at %d", now, at)
	}
	there.ticket(id, now)
	kept := t.TempDir()
	done(t, append([]string{"backup", "--data", dir, "--to", kept, "--vault", kept}, onCluster...)...)
	log, vault := files(t, kept)
	there.stop()
	refused(t, []string{"move", "--data", dir, "--to-nats", urls}, "another log")
	refused(t, append([]string{"restore", "--data", t.TempDir(), "--from", log, "--vault", vault}, onCluster...), "have a log")

	done(t, "restore", "--data", dir, "--from", log, "--vault", vault, "--replace", "--lost-head", strconv.FormatInt(now, 10))
	home := serveOn(t, dir)
	if got, where := home.receive("m-3", "+1 555 0300", "Hello"); got == "" || where != now {
		t.Errorf("back home the message is at %d, it was at %d", where, now)
	}
	home.ticket(id, now)

	empty, err := bench.StartCluster(t.TempDir(), "off")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(empty.Stop)
	elsewhere := []string{"--data", fresh, "--nats", empty.URL(0), "--replicas", "3"}
	out := done(t, append([]string{"restore", "--from", log, "--vault", vault}, elsewhere...)...)
	if !strings.Contains(out, "Epoch 1") {
		t.Errorf("onto an empty cluster: it says\n%s", out)
	}
	third := serveOn(t, fresh, elsewhere[2:]...)
	if _, p := third.receive("m-4", "+1 555 0400", "Hello"); p>>domain.EpochBits != 1 {
		t.Errorf("a commit of the new epoch is at %d", p)
	}
}

// reached waits until a view has come to a position.
func (a api) reached(view string, at int64) {
	a.t.Helper()
	path := map[string]string{
		"queue": "/v1/queues?", "history": "/v1/conversations?", "directory": "/v1/contacts?",
		"stats": "/v1/stats/live?",
	}[view]
	a.patiently(path + after(at))
}

func TestAnEncryptedFolderIsBackedUpMovedAndMadeOfAPlainOne(t *testing.T) {
	dir, kept := t.TempDir(), t.TempDir()
	key := filepath.Join(t.TempDir(), "log.key")
	done(t, "key", "new", key)
	refused(t, []string{"key", "new", key}, "is there already")
	s := serveOn(t, dir)
	s.furnish()
	id, at := s.receive("m-1", "+1 555 0100", "Hello")
	s.stop()
	encrypted := []string{"--encryption-key-file", key}
	refused(t, append([]string{"serve", "--data", dir, "--http", "127.0.0.1:0"}, encrypted...), "not encrypted", "turno restore --replace")
	done(t, "backup", "--data", dir, "--to", kept, "--vault", kept)
	log, vault := files(t, kept)
	done(t, append([]string{"restore", "--data", dir, "--from", log, "--vault", vault, "--replace", "--lost-head", strconv.FormatInt(at, 10)}, encrypted...)...)

	refused(t, []string{"serve", "--data", dir, "--http", "127.0.0.1:0"}, "--encryption-key-file")
	refused(t, []string{"replay", "--data", dir}, "--encryption-key-file")
	s = serveOn(t, dir, encrypted...)
	if got := s.get("/v1/conversations/"+id+"/messages?"+after(at)).text("items", 0, "text"); got != "Hello" {
		t.Errorf("the message reads %q", got)
	}
	done(t, "replay", "--data", dir) // joined, it needs no key
	s.stop()
	err := filepath.WalkDir(filepath.Join(dir, "log"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte("specversion")) || bytes.Contains(b, []byte("turno.default")) || bytes.Contains(b, []byte("turno-vault.")) {
			err = errors.Join(err, fmt.Errorf("%s is in clear", path))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}

	other := filepath.Join(t.TempDir(), "new.key")
	done(t, "key", "new", other)
	refused(t, []string{"replay", "--data", dir, "--encryption-key-file", other}, "another one")
	serveOn(t, dir, "--encryption-key-file", other, "--encryption-old-key-file", key).stop()
	done(t, "backup", "--data", dir, "--to", filepath.Join(kept, "again"), "--encryption-key-file", other)
	if err := os.Chmod(other, 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, []string{"serve", "--data", dir, "--http", "127.0.0.1:0", "--encryption-key-file", other}, "mode 0644")
}
