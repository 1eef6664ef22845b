package peers

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/quicksightembed"
	"example.com/quicksightembed/embedtest"
)

// service is a QuickSight with an account and a user.
type service struct {
	cfg     aws.Config
	account string
	user    string // an author or admin; "" if the credentials are the user's own
}

const liveReason = "set QUICKSIGHT_LIVE_ACCOUNT_ID to the ID of an account of Enterprise edition, and credentials and region as for the AWS CLI; " +
	"set QUICKSIGHT_LIVE_USER_ARN too, unless the credentials are those of an author or admin"

// live is the AWS account of the environment, or nil if none is set.
var live *service

// readLive reads the environment before the tests clear it.
func readLive() error {
	id := os.Getenv("QUICKSIGHT_LIVE_ACCOUNT_ID")
	if id == "" {
		return nil
	}
	cfg, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		return err
	}
	if _, err := cfg.Credentials.Retrieve(context.Background()); err != nil {
		return err
	}
	live = &service{cfg: cfg, account: id, user: os.Getenv("QUICKSIGHT_LIVE_USER_ARN")}
	return nil
}

func (s *service) input() *quicksightembed.GetSessionEmbedUrlInput {
	in := &quicksightembed.GetSessionEmbedUrlInput{AwsAccountId: &s.account}
	if s.user != "" {
		in.UserArn = &s.user
	}
	return in
}

// arn returns the ARN of a user of this name, in the region of the account's other users.
func (s *service) arn(name string) string {
	if known, err := arn.Parse(s.user); err == nil {
		known.Resource = "user/default/" + name
		return known.String()
	}
	return "arn:aws:quicksight:" + s.cfg.Region + ":" + s.account + ":user/default/" + name
}

// TestConformance runs one suite on embedtest and on AWS: rely on embedtest for what passes on
// both. It asks each for about 30 URLs and opens none.
func TestConformance(t *testing.T) {
	t.Run("embedtest", func(t *testing.T) {
		server := embedtest.NewServer(func(o *embedtest.Options) { o.Users = []string{jane} })
		t.Cleanup(server.Close)
		conforms(t, &service{cfg: server.Config(), account: account, user: jane})
	})
	t.Run("AWS", func(t *testing.T) {
		if live == nil {
			t.Skip(liveReason)
		}
		conforms(t, live)
	})
}

func conforms(t *testing.T, s *service) {
	for _, peer := range peers {
		name, ask := peer.name, peer.ask
		t.Run(name+" gets a URL", func(t *testing.T) {
			for what, change := range map[string]func(*quicksightembed.GetSessionEmbedUrlInput){
				"and nothing asked for": func(in *quicksightembed.GetSessionEmbedUrlInput) {},
				"of the start page": func(in *quicksightembed.GetSessionEmbedUrlInput) {
					in.EntryPoint = aws.String(quicksightembed.EntryPointStart)
				},
				"of the analyses": func(in *quicksightembed.GetSessionEmbedUrlInput) {
					in.EntryPoint = aws.String(quicksightembed.EntryPointAnalyses)
				},
				"of the dashboards": func(in *quicksightembed.GetSessionEmbedUrlInput) {
					in.EntryPoint = aws.String(quicksightembed.EntryPointDashboards)
				},
				"of the favorites": func(in *quicksightembed.GetSessionEmbedUrlInput) {
					in.EntryPoint = aws.String(quicksightembed.EntryPointFavorites)
				},
				"for 15 minutes":  func(in *quicksightembed.GetSessionEmbedUrlInput) { in.SessionLifetimeInMinutes = aws.Int64(15) },
				"for 600 minutes": func(in *quicksightembed.GetSessionEmbedUrlInput) { in.SessionLifetimeInMinutes = aws.Int64(600) },
			} {
				t.Run(what, func(t *testing.T) {
					in := s.input()
					change(in)
					first, second := ask(t.Context(), s.cfg, in), ask(t.Context(), s.cfg, in)
					require.Empty(t, first.Text)
					require.Empty(t, second.Text)
					assert.EqualValues(t, 200, first.Status)
					assert.NotEmpty(t, aws.ToString(first.RequestId))
					assert.NotEmpty(t, first.HeaderId)
					embed, err := url.Parse(aws.ToString(first.EmbedUrl))
					require.NoError(t, err)
					assert.True(t, strings.HasPrefix(embed.Path, "/embedding/"))
					assert.NotEmpty(t, embed.Query().Get("code"))
					assert.NotEqual(t, *first.EmbedUrl, *second.EmbedUrl)
				})
			}
		})
		t.Run(name+" is refused", func(t *testing.T) {
			for what, test := range map[string]struct {
				cfg    func(*aws.Config)
				in     func(*quicksightembed.GetSessionEmbedUrlInput)
				code   string
				status int
			}{
				"with a wrong secret": {cfg: func(c *aws.Config) {
					known, err := c.Credentials.Retrieve(t.Context())
					require.NoError(t, err)
					c.Credentials = credentials(known.AccessKeyID, "wrong", known.SessionToken)
				}, code: "InvalidSignatureException", status: 403},
				"with an unknown key": {cfg: func(c *aws.Config) {
					c.Credentials = credentials("AKIAUNKNOWNUNKNOWN12", "secret", "")
				}, code: "UnrecognizedClientException", status: 403},
				"with a signature of yesterday": {cfg: func(c *aws.Config) {
					c.ServiceOptions = append(c.ServiceOptions, set("HTTPSignerV4", yesterday{v4.NewSigner()}))
				}, code: "InvalidSignatureException", status: 403},
				"in an account of others": {in: func(in *quicksightembed.GetSessionEmbedUrlInput) {
					in.AwsAccountId, in.UserArn = aws.String("000000000000"), nil
				}, code: "AccessDeniedException", status: 401},
				"for a user who is not registered": {in: func(in *quicksightembed.GetSessionEmbedUrlInput) {
					in.UserArn = aws.String(s.arn("nobody-of-this-name"))
				}, code: "QuickSightUserNotFoundException", status: 404},
			} {
				t.Run(what, func(t *testing.T) {
					cfg, in := s.cfg.Copy(), s.input()
					cfg.Retryer = once
					if test.cfg != nil {
						test.cfg(&cfg)
					}
					if test.in != nil {
						test.in(in)
					}
					o := ask(t.Context(), cfg, in)
					assert.Equal(t, test.code, o.Code, o.Text)
					assert.Equal(t, test.status, o.HTTPStatus)
					assert.NotEmpty(t, o.ErrorId)
				})
			}
		})
	}
	t.Run("it refuses what this client does not send", func(t *testing.T) {
		for what, test := range map[string]struct {
			change func(*quicksightembed.GetSessionEmbedUrlInput)
			code   string
		}{
			"an entry point that there is not": {func(in *quicksightembed.GetSessionEmbedUrlInput) { in.EntryPoint = aws.String("/nowhere") }, "InvalidParameterValueException"},
			"a lifetime of 14 minutes": {func(in *quicksightembed.GetSessionEmbedUrlInput) {
				in.SessionLifetimeInMinutes = aws.Int64(14)
			}, "SessionLifetimeInMinutesInvalidException"},
			"a lifetime of 601 minutes": {func(in *quicksightembed.GetSessionEmbedUrlInput) {
				in.SessionLifetimeInMinutes = aws.Int64(601)
			}, "SessionLifetimeInMinutesInvalidException"},
			"a user ARN without a region": {func(in *quicksightembed.GetSessionEmbedUrlInput) {
				in.UserArn = aws.String("arn:aws:quicksight:" + s.account + ":user/default/jane")
			}, "InvalidParameterValueException"},
		} {
			t.Run(what, func(t *testing.T) {
				in := s.input()
				test.change(in)
				assert.Contains(t, askOurs(t.Context(), s.cfg, in).Layers, "ValidationError")
				official := askOfficial(t.Context(), s.cfg, in)
				assert.Equal(t, test.code, official.Code, official.Text)
				assert.Equal(t, 400, official.HTTPStatus)
			})
		}
	})
}

// yesterday signs with the time of a day ago.
type yesterday struct{ *v4.Signer }

func (s yesterday) SignHTTP(ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash, service, region string, at time.Time, optFns ...func(*v4.SignerOptions)) error {
	return s.Signer.SignHTTP(ctx, credentials, r, payloadHash, service, region, at.AddDate(0, 0, -1), optFns...)
}
