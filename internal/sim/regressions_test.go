package sim

// regressions are schedules that found a fault once, in as few steps as it took. A
// failing seed prints itself as such a row; its name says what went wrong.
var regressions = []struct {
	name    string
	options options
	steps   []step
}{
	{name: "AnAttemptThatWaitedADayIsAskedForWithANewExpiry", options: options{Lose: 100, Shuffle: true, Jump: 30, DebitS: 1}, steps: []step{
		{who: "portal.checkout", a: 14800, b: 7720, c: 23414, d: 10477},
		{who: "portal.checkout", a: 42026, b: 57825, c: 52181, d: 61585, fault: fault{"hangs after", 1, 2}},
		{who: "time", a: 8728, b: 61885, c: 18637, d: 6163},
		{who: "portal.again", a: 21226, b: 219, c: 60151, d: 40351},
	}},
	{name: "AReopenedOrderAnswersForItsRequest", options: options{Shuffle: true, Jump: 30, DebitS: 86400}, steps: []step{
		{who: "portal.checkout", a: 26932, b: 45426, c: 1710, d: 14691},
		{who: "time", a: 43327, b: 3393, c: 21230, d: 26449},
		{who: "browser.pay", a: 17079, b: 52289, c: 14428, d: 18821},
		{who: "portal.again", a: 63163, b: 28720, c: 14229, d: 50217},
	}},
	{name: "ALookUpByEmailThatFailsWritesNoAddressIntoTheLog", options: options{DebitS: 60}, steps: []step{
		{who: "portal.checkout", a: 43270, b: 21030, c: 31543, d: 30307, fault: fault{"500 kept, done", 2, 99}},
		{who: "portal.checkout", a: 25306, b: 57271, c: 45834, d: 45042, fault: fault{"lost after", 2, 3}},
	}},
	{name: "ACustomerWhoWasDeletedAtStripeIsMadeAnewAtOnce", options: options{Strange: true, DebitS: 86400}, steps: []step{
		{who: "portal.checkout", a: 35641, b: 54821, c: 10682, d: 46572},
		{who: "dashboard.forget", a: 16185, b: 36982, c: 32734, d: 35911},
		{who: "portal.checkout", a: 22111, b: 36533, c: 8201, d: 15838, fault: fault{"hangs before", 3, 1}},
		{who: "portal.checkout", a: 4915, b: 46835, c: 57553, d: 59181},
	}},
	{name: "ASessionsKeyIsNotUsedForAnotherCustomer", options: options{Debits: true, Back: true, Strange: true, DebitS: 432000}, steps: []step{
		{who: "portal.checkout", a: 63459, b: 57708, c: 23403, d: 12046, fault: fault{"500 kept, not done", 2, 2}},
		{who: "portal.checkout", a: 31173, b: 54093, c: 9018, d: 10278, fault: fault{"database refuses", 10, 1}},
		{who: "dashboard.forget", a: 38131, b: 27141, c: 24295, d: 50758},
	}},
}
