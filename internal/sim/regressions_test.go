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
	{name: "ACustomerWhoWasDeletedTwiceIsMadeAnew", options: options{Steps: 52, Lose: 100, Repeat: 0, Late: 0, Shuffle: true, Net: 0, Busy: 10, Crash: 0, Between: 30, Jump: 5, Skew: false, Debits: false, Cards: false, Back: false, Dispute: false, Strange: true, DebitS: 1}, steps: []step{ // seed 1464
		{who: "portal.checkout", a: 5475, b: 23067, c: 9025, d: 1589},
		{who: "portal.checkout", a: 1866, b: 34026, c: 15589, d: 9072, fault: fault{"between", 1, 1}, meanwhile: &step{who: "dashboard.expire", a: 51149, b: 12053, c: 2760, d: 33451}},
		{who: "browser.submit", a: 2613, b: 1169, c: 49117, d: 52790, fault: fault{"database refuses", 3, 1}},
		{who: "browser.pay", a: 21542, b: 27804, c: 36109, d: 16496},
		{who: "portal.checkout", a: 61711, b: 37370, c: 21039, d: 50213},
		{who: "staff.settle", a: 2851, b: 25362, c: 20282, d: 60705, fault: fault{"between", 5, 1}, meanwhile: &step{who: "browser.submit", a: 35235, b: 51716, c: 28140, d: 7655}},
		{who: "dashboard.forget", a: 30362, b: 59704, c: 6809, d: 34687},
		{who: "browser.submit", a: 49731, b: 23499, c: 52627, d: 5546},
		{who: "portal.checkout", a: 53748, b: 36746, c: 13484, d: 45008},
		{who: "portal.conflict", a: 48862, b: 20216, c: 26596, d: 45562, fault: fault{"between", 2, 1}, meanwhile: &step{who: "mail", a: 59313, b: 35076, c: 32885, d: 52301}},
		{who: "portal.conflict", a: 63086, b: 8143, c: 29923, d: 2261},
		{who: "dashboard.forget", a: 43230, b: 50396, c: 508, d: 32467, fault: fault{"between", 4, 1}, meanwhile: &step{who: "portal.changed", a: 37445, b: 12329, c: 15507, d: 23348}},
		{who: "portal.checkout", a: 37398, b: 61044, c: 10112, d: 54871, fault: fault{"between", 2, 1}, meanwhile: &step{who: "job", a: 60734, b: 125, c: 13602, d: 8027}},
	}},
	{name: "AnAttemptWhoseTimeRanOutWhileTheCustomerWasMadeIsReplaced", options: options{Steps: 50, Lose: 0, Repeat: 50, Late: 0, Shuffle: false, Net: 10, Busy: 10, Crash: 5, Between: 30, Jump: 30, Skew: false, Debits: true, Cards: false, Back: true, Dispute: false, Strange: false, DebitS: 86400}, steps: []step{ // seed 772
		{who: "portal.batch", a: 62761, b: 2097, c: 51507, d: 49083, fault: fault{"between", 1, 1}, meanwhile: &step{who: "time", a: 65244, b: 46085, c: 27266, d: 13909}},
		{who: "portal.changed", a: 61161, b: 48484, c: 27923, d: 38032},
		{who: "portal.checkout", a: 32559, b: 39312, c: 33869, d: 32874},
		{who: "browser.submit", a: 38960, b: 12064, c: 34195, d: 50960, fault: fault{"between", 3, 1}, meanwhile: &step{who: "browser.submit", a: 11329, b: 36984, c: 54171, d: 36095}},
		{who: "browser.submit", a: 4671, b: 41120, c: 16059, d: 251},
		{who: "portal.checkout", a: 33598, b: 33202, c: 48613, d: 11059, fault: fault{"between", 4, 1}, meanwhile: &step{who: "portal.conflict", a: 47022, b: 52367, c: 58169, d: 64405}},
		{who: "portal.checkout", a: 63281, b: 22500, c: 18080, d: 32517, fault: fault{"between", 3, 1}, meanwhile: &step{who: "time", a: 33015, b: 24300, c: 21564, d: 32153}},
	}},
	{name: "ATillThatSleptLongerThanTheLongListingGoesOnWhereItWas", options: options{Steps: 32, Lose: 100, Repeat: 50, Late: 10, Shuffle: true, Net: 10, Busy: 10, Jump: 5, Cards: true, DebitS: 432000, Payouts: true}, steps: []step{ // seed 5203
		{who: "portal.checkout", a: 30881, b: 55606, c: 3340, d: 35929, fault: fault{"lost after", 2, 2}},
		{who: "staff.sweep", a: 26014, b: 49175, c: 5365, d: 55082},
		{who: "browser.submit", a: 35323, b: 8966, c: 17899, d: 49669},
		{who: "time", a: 15103, b: 29528, c: 60942, d: 22628},
	}},
	{name: "AKeyIsNotSentAgainWithACustomerWhoWasMadeAnew", options: options{Steps: 40, Repeat: 50, Late: 60, Net: 30, Busy: 10, Crash: 15, Between: 10, Jump: 5, Skew: true, Debits: true, Cards: true, Strange: true, DebitS: 60, Convert: true}, steps: []step{ // seed 56
		{who: "portal.checkout", a: 14413, b: 34502, c: 22162, d: 33989, fault: fault{"a proxy's page", 3, 3}},
		{who: "dashboard.forget", a: 1829, b: 8339, c: 63357, d: 53301, fault: fault{"between", 3, 1}, meanwhile: &step{who: "portal.save", a: 5670, b: 9688, c: 24042, d: 56783}},
		{who: "portal.charge", a: 41557, b: 40036, c: 63157, d: 9086},
	}},
	{name: "AClockThatWasAheadAtTheSweepLeavesNothingUnlisted", options: options{Steps: 51, Net: 10, Busy: 10, Jump: 30, Skew: true, Debits: true, Back: true, Strange: true, DebitS: 86400}, steps: []step{ // seed 13
		{who: "portal.checkout", a: 61626, b: 14513, c: 39041, d: 59666},
		{who: "browser.find", a: 22976, b: 1676, c: 3061, d: 45469},
		{who: "skew", a: 42074, b: 33310, c: 29431, d: 2536},
		{who: "staff.sweep", a: 26891, b: 52024, c: 14573, d: 31569},
		{who: "dashboard.refund", a: 45250, b: 30007, c: 23773, d: 37864},
	}},
	{name: "ATokenThatWasMadeAnotherMethodIsAttachedUnderAKeyOfItsOwn", options: options{Steps: 49, Lose: 100, Repeat: 50, Late: 60, Shuffle: true, Net: 30, Busy: 0, Crash: 0, Between: 0, Jump: 5, Skew: true, Debits: false, Cards: true, Back: true, Dispute: true, Strange: false, DebitS: 432000, Payouts: false, Convert: false}, steps: []step{ // seed 904
		{who: "portal.checkout", a: 12974, b: 46686, c: 22693, d: 29688},
		{who: "portal.checkout", a: 32847, b: 56356, c: 15194, d: 33839},
		{who: "portal.checkout", a: 63118, b: 28759, c: 10337, d: 63512},
		{who: "portal.checkout", a: 4935, b: 31434, c: 54490, d: 2438, fault: fault{"500 before", 2, 1}},
		{who: "portal.batch", a: 30033, b: 31782, c: 46738, d: 53159},
		{who: "portal.charge", a: 58280, b: 35146, c: 25036, d: 10170, fault: fault{"lost after", 3, 3}},
		{who: "portal.checkout", a: 9546, b: 54790, c: 6006, d: 9878},
		{who: "portal.again", a: 13257, b: 58637, c: 60056, d: 37107, fault: fault{"500 kept, done", 2, 1}},
	}},
	{name: "ARefundWeAskForIsWaitingWhileThatAtStripeTakesItsRoom", options: options{Steps: 52, Lose: 0, Repeat: 50, Late: 10, Shuffle: false, Net: 30, Busy: 0, Crash: 5, Between: 0, Jump: 0, Skew: true, Debits: false, Cards: false, Back: true, Dispute: false, Strange: true, DebitS: 1, Payouts: false, Convert: false}, steps: []step{ // seed 1436
		{who: "portal.checkout", a: 31103, b: 42773, c: 41778, d: 41157},
		{who: "portal.checkout", a: 27659, b: 58257, c: 54054, d: 11767},
		{who: "browser.return", a: 64028, b: 842, c: 52362, d: 62308, fault: fault{"lost after", 1, 1}},
		{who: "browser.submit", a: 49084, b: 22340, c: 41550, d: 18569, fault: fault{"lost after", 3, 99}},
		{who: "portal.checkout", a: 58702, b: 3802, c: 27395, d: 33148},
		{who: "dashboard.refund", a: 38423, b: 4178, c: 1638, d: 29302, fault: fault{"lost after", 2, 99}},
		{who: "browser.pay", a: 19616, b: 34588, c: 2727, d: 10084},
		{who: "browser.submit", a: 10481, b: 15133, c: 14155, d: 34666},
		{who: "job", a: 6025, b: 2904, c: 5308, d: 12149},
		{who: "staff.refund", a: 32211, b: 62991, c: 3901, d: 11163, fault: fault{"half an answer", 1, 99}},
		{who: "browser.submit", a: 42561, b: 53613, c: 60238, d: 56137},
		{who: "portal.batch", a: 60083, b: 20515, c: 19794, d: 24006},
		{who: "staff.settle", a: 63350, b: 31045, c: 41536, d: 26496},
		{who: "portal.checkout", a: 36175, b: 13131, c: 8694, d: 40395},
		{who: "browser.pay", a: 51612, b: 22641, c: 35329, d: 55259},
		{who: "skew", a: 55271, b: 43725, c: 28604, d: 13295, fault: fault{"half an answer", 3, 1}},
		{who: "browser.submit", a: 61855, b: 20620, c: 1768, d: 62870},
	}},
}
