package views

import "net/http"

// texts fills the gaps of an error with words that fit its status. They speak to a customer who has done nothing wrong,
// most of the time.
func (v ErrorView) texts() (title, msg, hint string) {
	title, msg, hint = v.wordsOfStatus()
	return or(plain(v.Title), title), or(plain(v.Message), msg), or(plain(v.Hint), hint)
}

func (v ErrorView) wordsOfStatus() (title, msg, hint string) {
	switch v.Status {
	case http.StatusBadRequest:
		return v.say("error.400.title"), v.say("error.400.text"), v.say("error.hint.shop")
	case http.StatusForbidden:
		return v.say("error.403.title"), v.say("error.403.text"), v.say("error.hint.shop")
	case http.StatusNotFound:
		return v.say("error.404.title"), v.say("error.404.text"), v.say("error.404.hint")
	case http.StatusMethodNotAllowed:
		return v.say("error.405.title"), v.say("error.405.text"), v.say("error.hint.shop")
	case http.StatusConflict:
		return v.say("error.409.title"), v.say("error.409.text"), v.say("error.409.hint")
	case http.StatusRequestEntityTooLarge:
		return v.say("error.413.title"), v.say("error.413.text"), v.say("error.hint.shop")
	case http.StatusUnprocessableEntity:
		return v.say("error.422.title"), v.say("error.422.text"), v.say("error.422.hint")
	case http.StatusTooManyRequests:
		return v.say("error.429.title"), v.say("error.429.text"), v.say("error.hint.minute")
	case http.StatusBadGateway:
		return v.say("error.502.title"), v.say("error.502.text"), v.say("error.hint.minute")
	case http.StatusServiceUnavailable:
		return v.say("error.503.title"), v.say("error.503.text"), v.say("error.hint.minute")
	default:
		return v.say("error.500.title"), v.say("error.500.text"), v.say("error.hint.minute")
	}
}
