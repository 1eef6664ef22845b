package webapp

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed/embedtest"
)

const (
	account = "111122223333"
	role    = "arn:aws:iam::111122223333:role/embed-console"
	users   = "arn:aws:quicksight:us-east-1:111122223333:user/default/"
	// The password of the tests' users.
	password = "correct-horse-battery"

	sdkFile = "../../examples/webapp/node_modules/amazon-quicksight-embedding-sdk/dist/quicksight-embedding-js-sdk.min.js"
)

var program string // the built backend

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "webapp")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "webapp")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = "../../examples/webapp"
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// missing says what a test lacks on this machine. CI must lack nothing.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// backend is the program as a process.
type backend struct {
	url        string
	quickSight string // where the program itself serves QuickSight, "" where it does not
	log        *safeBuffer
	stop       func()
}

// safeBuffer is written by the process and read by the test.
type safeBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// startProgram runs the program with nothing but the environment, and stops it when the test ends.
func startProgram(t *testing.T, env []string, args ...string) *backend {
	t.Helper()
	if _, err := os.Stat(sdkFile); err != nil {
		missing(t, "no embedding SDK: npm ci --prefix examples/webapp")
	}
	b := &backend{log: &safeBuffer{}}
	process := exec.Command(program, append([]string{"-addr", "127.0.0.1:0", "-sdk", sdkFile}, args...)...)
	process.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true"}, env...)
	process.Stderr = b.log
	stdout, err := process.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, process.Start())
	b.stop = sync.OnceFunc(func() {
		require.NoError(t, process.Process.Signal(syscall.SIGTERM))
		assert.NoError(t, process.Wait(), "it stops cleanly")
	})
	t.Cleanup(func() {
		b.stop()
		if t.Failed() {
			t.Log(b.log.String())
		}
	})
	address := regexp.MustCompile(`^(The page|QuickSight): +(\S+)`)
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		line := address.FindStringSubmatch(lines.Text())
		if line != nil && line[1] == "The page" {
			b.url = line[2]
			if len(env) > 0 {
				break // it serves no QuickSight
			}
		}
		if line != nil && line[1] == "QuickSight" {
			b.quickSight = line[2]
			break
		}
	}
	require.NotEmpty(t, b.url, b.log)
	return b
}

// newQuickSight starts embedtest with jane and mateo registered, in both models, for pages on
// localhost.
func newQuickSight(t *testing.T, optFns ...func(*embedtest.Options)) *embedtest.Server {
	t.Helper()
	server := embedtest.NewTLSServer(append([]func(*embedtest.Options){func(o *embedtest.Options) {
		o.Users = []string{users + "jane", users + "mateo", users + "embed-console/jane", users + "embed-console/mateo"}
		o.Roles = []string{role}
		o.Dashboards = []string{"sales-overview"}
		o.AllowedDomains = []string{"http://localhost:*"}
	}}, optFns...)...)
	t.Cleanup(server.Close)
	return server
}

// startBackend runs the program against a QuickSight, which it takes for AWS.
func startBackend(t *testing.T, quickSight *embedtest.Server, args ...string) *backend {
	t.Helper()
	credentials, err := quickSight.Config().Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	return startProgram(t, []string{
		"AWS_ENDPOINT_URL=" + quickSight.URL,
		"AWS_CA_BUNDLE=" + certificateFile(t, quickSight.Certificate()),
		"AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=" + credentials.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + credentials.SecretAccessKey,
		"WEBAPP_PASSWORD=" + password,
	}, append([]string{
		"-aws", "-account", account, "-role-arn", role, "-dashboard", "sales-overview", "-console-origin", quickSight.URL,
		"-user", "jane", "-user", "mateo", "-user", "noor",
	}, args...)...)
}

func certificateFile(t *testing.T, certificate *x509.Certificate) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "certificate.pem")
	require.NoError(t, os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}), 0o600))
	return name
}
