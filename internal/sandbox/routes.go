package sandbox

import "net/http"

// apiRoutes is every route of the API. The patterns are those of Stripe's OpenAPI file, so that params.json has their
// parameters; routes.txt lists them for paramgen.
var apiRoutes = map[string]handler{
	"GET /v1/account":                                               getAccount,
	"GET /v1/balance":                                               getBalance,
	"GET /v1/balance_transactions":                                  listBalanceTransactions,
	"GET /v1/balance_transactions/{id}":                             getOne("balance_transaction", "balance transaction", "id"),
	"GET /v1/charges":                                               listCharges,
	"GET /v1/charges/{charge}":                                      getCharge,
	"POST /v1/charges/{charge}":                                     updateCharge,
	"GET /v1/checkout/sessions":                                     listSessions,
	"POST /v1/checkout/sessions":                                    createSession,
	"GET /v1/checkout/sessions/{session}":                           getSession,
	"POST /v1/checkout/sessions/{session}/expire":                   expireSessionCall,
	"GET /v1/checkout/sessions/{session}/line_items":                listLineItems,
	"GET /v1/customers":                                             listCustomers,
	"POST /v1/customers":                                            createCustomer,
	"GET /v1/customers/{customer}":                                  getCustomer,
	"POST /v1/customers/{customer}":                                 updateCustomer,
	"DELETE /v1/customers/{customer}":                               deleteCustomer,
	"GET /v1/customers/{customer}/payment_methods":                  listMethods,
	"GET /v1/customers/{customer}/payment_methods/{payment_method}": getMethod,
	"GET /v1/customers/{customer}/sources":                          listCustomerSources,
	"POST /v1/customers/{customer}/sources":                         createCustomerSource,
	"GET /v1/customers/{customer}/sources/{id}":                     getCustomerSource,
	"POST /v1/customers/{customer}/sources/{id}":                    updateCustomerSource,
	"DELETE /v1/customers/{customer}/sources/{id}":                  deleteCustomerSource,
	"GET /v1/disputes":                                              listDisputes,
	"GET /v1/disputes/{dispute}":                                    getDispute,
	"POST /v1/disputes/{dispute}":                                   updateDispute,
	"POST /v1/disputes/{dispute}/close":                             closeDisputeCall,
	"GET /v1/events":                                                listEvents,
	"GET /v1/events/{id}":                                           getEvent,
	"GET /v1/payment_intents":                                       listIntents,
	"POST /v1/payment_intents":                                      createIntent,
	"GET /v1/payment_intents/{intent}":                              getIntent,
	"POST /v1/payment_intents/{intent}":                             updateIntent,
	"POST /v1/payment_intents/{intent}/cancel":                      cancelIntentCall,
	"POST /v1/payment_intents/{intent}/confirm":                     confirmIntent,
	"GET /v1/payment_methods":                                       listMethods,
	"POST /v1/payment_methods":                                      createMethod,
	"GET /v1/payment_methods/{payment_method}":                      getMethod,
	"POST /v1/payment_methods/{payment_method}":                     updateMethod,
	"POST /v1/payment_methods/{payment_method}/attach":              attachMethod,
	"POST /v1/payment_methods/{payment_method}/detach":              detachMethod,
	"GET /v1/payouts":                                               listPayouts,
	"GET /v1/payouts/{payout}":                                      getOne("payout", "payout", "payout"),
	"GET /v1/refunds":                                               listRefunds,
	"POST /v1/refunds":                                              createRefund,
	"GET /v1/refunds/{refund}":                                      getRefund,
	"POST /v1/refunds/{refund}":                                     updateRefund,
	"POST /v1/refunds/{refund}/cancel":                              cancelRefund,
	"GET /v1/setup_intents":                                         listSetupIntents,
	"POST /v1/setup_intents":                                        createSetupIntent,
	"GET /v1/setup_intents/{intent}":                                getSetupIntent,
	"POST /v1/setup_intents/{intent}":                               updateSetupIntent,
	"POST /v1/setup_intents/{intent}/cancel":                        cancelSetupIntent,
	"POST /v1/setup_intents/{intent}/confirm":                       confirmSetupIntent,
	"POST /v1/sources":                                              createSource,
	"GET /v1/sources/{source}":                                      getSource,
	"POST /v1/sources/{source}":                                     updateSource,
	"POST /v1/tokens":                                               createToken,
	"GET /v1/tokens/{token}":                                        getToken,
	"GET /v1/webhook_endpoints":                                     listEndpoints,
	"POST /v1/webhook_endpoints":                                    createEndpoint,
	"GET /v1/webhook_endpoints/{webhook_endpoint}":                  getEndpoint,
	"POST /v1/webhook_endpoints/{webhook_endpoint}":                 updateEndpoint,
	"DELETE /v1/webhook_endpoints/{webhook_endpoint}":               deleteEndpoint,
}

func getOne(kind, name, param string) handler {
	return func(c *call) (any, *apiError) {
		id := c.path(param)
		if r := c.getKind(c.account, kind, id); r != nil {
			return r.obj, nil
		}
		return nil, missing(name, param, id)
	}
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, work := range apiRoutes {
		mux.HandleFunc(pattern, s.api(pattern, work))
	}
	mux.HandleFunc("/v1/", unrecognized)

	mux.HandleFunc("GET /c/pay/{session}", s.showPay)
	mux.HandleFunc("POST /c/pay/{session}", s.submitPay)
	mux.HandleFunc("GET /c/authenticate/{intent}", s.showChallenge)
	mux.HandleFunc("POST /c/authenticate/{intent}", s.answerChallenge)
	mux.HandleFunc("GET /receipts/{charge}", s.showReceipt)

	mux.HandleFunc("GET /_sandbox", s.showConsole)
	mux.HandleFunc("GET /_sandbox/state", s.showState)
	mux.HandleFunc("GET /_sandbox/dials", s.showDials)
	mux.HandleFunc("POST /_sandbox/dials", s.setDials)
	mux.HandleFunc("POST /_sandbox/actions/{action}", s.act)
	mux.HandleFunc("GET /_sandbox/sandbox.css", s.showStyle)
	mux.HandleFunc("GET /_portal/success", showPortal(s, "Thank you", "The payment is done and you are back at the demo portal.", true))
	mux.HandleFunc("GET /_portal/cancelled", showPortal(s, "Nothing was paid", "You came back to the demo portal without paying.", false))
	mux.Handle("GET /_sandbox/{$}", http.RedirectHandler("/_sandbox", http.StatusSeeOther))
	mux.Handle("GET /{$}", http.RedirectHandler("/_sandbox", http.StatusSeeOther))
	return mux
}
