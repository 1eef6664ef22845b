package embedtest

import "time"

// state is what requests and tests change. Reset puts it back.
type state struct {
	edition    Edition
	everyone   bool            // whether users are registered unless registered says otherwise
	registered map[string]bool // by ARN
	revoked    map[string]bool // by access key

	requests []Request // the last ones
	count    int       // how many there were in all
	counted  chan struct{}
	faults   []*injected
	faultID  int
}

// Reset puts the server back to its start: it forgets requests, URLs, role sessions, openings and
// what tests have changed. The server then refuses earlier URLs and earlier keys of AssumeRole.
func (s *Server) Reset() {
	s.ahead.Store(0)
	s.sessions.reset()
	s.roles.reset()
	s.mu.Lock()
	if s.state.counted != nil {
		close(s.state.counted)
	}
	s.state = state{
		edition:    s.options.Edition,
		everyone:   s.options.Users == nil,
		registered: map[string]bool{},
		revoked:    map[string]bool{},
		counted:    make(chan struct{}),
	}
	for _, user := range s.options.Users {
		s.state.registered[user] = true
	}
	s.mu.Unlock()
	s.Inject(s.options.Faults...)
}

// RegisterUser registers a user. It panics if userArn is not the ARN of a QuickSight user.
func (s *Server) RegisterUser(userArn string) { s.setRegistered(userArn, true) }

// UnregisterUser makes the server answer QuickSightUserNotFoundException for a user from now on. It
// panics as RegisterUser does.
func (s *Server) UnregisterUser(userArn string) { s.setRegistered(userArn, false) }

func (s *Server) setRegistered(userArn string, registered bool) {
	must(Options{Users: []string{userArn}}.Validate())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.registered[userArn] = registered
}

func (s *state) isRegistered(userArn string) bool {
	registered, ok := s.registered[userArn]
	return registered || !ok && s.everyone
}

// RevokeKey makes the server refuse an access key, with UnrecognizedClientException, from now on.
func (s *Server) RevokeKey(accessKeyID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.revoked[accessKeyID] = true
}

// SetEdition changes the account's edition. It panics if there is no such edition.
func (s *Server) SetEdition(edition Edition) {
	must(Options{Edition: edition}.Validate())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.edition = edition
}

// Advance advances the server's clock, for example past the 5 minutes in which a URL opens, or past
// the end of a session. Clients that correct for clock skew, such as this module's, follow it. A
// credentials cache does not: it keeps the keys of a role session that has expired here.
func (s *Server) Advance(d time.Duration) { s.ahead.Add(int64(d)) }

// Now returns the time of the server's clock: Options.Now plus what Advance has added.
func (s *Server) Now() time.Time { return s.options.Now().Add(time.Duration(s.ahead.Load())) }
