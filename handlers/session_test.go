package handlers_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestTheReceiptIsWholeOnTheBrowserThatPaid(t *testing.T) {
	t.Parallel()
	k := setup(t)
	response, path := k.open()
	started := k.do(http.MethodPost, path, "")
	if started.status != http.StatusSeeOther {
		t.Fatalf("the pay button answered %d", started.status)
	}
	cookies := (&http.Response{Header: started.header}).Cookies()
	if len(cookies) != 1 {
		t.Fatalf("got %d cookies", len(cookies))
	}
	cookie := cookies[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("the cookie is %v", cookie)
	}
	k.card(response.SessionId, "4242424242424242")
	k.get(path + "/return")
	mine := k.get(path+"/receipt", "Cookie", cookie.Name+"="+cookie.Value)
	if mine.status != http.StatusOK || !strings.Contains(mine.body, "4242") || !strings.Contains(mine.body, `data-testid="line"`) && !strings.Contains(mine.body, "VAT") {
		t.Errorf("the browser that paid sees %d %.300s", mine.status, mine.body)
	}
	for name, value := range map[string]string{"NoCookie": "", "AnotherOnes": strings.Repeat("A", 43), "Rubbish": "x", "TheIdOfTheOrder": response.OrderId} {
		t.Run(name, func(t *testing.T) {
			stranger := k.get(path+"/receipt", "Cookie", cookie.Name+"="+value)
			if stranger.status != http.StatusOK || strings.Contains(stranger.body, "4242") {
				t.Errorf("a stranger sees %d %.300s", stranger.status, stranger.body)
			}
		})
	}
	if k.rows("sessions") != 1 {
		t.Errorf("%d sessions, want 1", k.rows("sessions"))
	}
}
