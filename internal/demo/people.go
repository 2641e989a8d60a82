package demo

import (
	"fmt"
	"strings"
)

// person is who buys: names as their owners write them, and how they are written in an address.
type person struct{ first, last, company, mail string }

var peopleOfBritain = []person{
	{"Ada", "Lovelace", "Analytical Engines Ltd", "ada"}, {"Oluwaseun", "Adébáyò", "", "seun"}, {"Siân", "Llewellyn-Jones", "Caffi'r Bont", "sian"},
	{"محمد", "العبدالله", "مؤسسة النور للتجارة", "m.alabdullah"}, {"Priya", "Raghunathan", "Raghunathan & Daughters", "priya"}, {"Niamh", "Ó Ceallaigh", "", "niamh"},
	{"Zoë", "D'Ångström", "Ångström Optics 🔭", "zoe"}, {"נועה", "בן־דוד", "", "noa"}, {"Wolfeschlegelsteinhausenbergerdorff", "Featherstonehaugh-Cholmondeley", "Featherstonehaugh, Cholmondeley, Marjoribanks and Sons (Holdings) International Telecommunications Consultancy", "w.f-c"},
	{"Kwame", "Mensah", "Mensah Logistics", "kwame"}, {"Chloé", "Dubois", "", "chloe"}, {"Iain", "MacGille-Fhaoláin", "Lochside Boats", "iain"},
	{"ਹਰਪ੍ਰੀਤ", "ਸਿੰਘ", "Singh Motors", "harpreet"}, {"Agnieszka", "Wójcik", "", "agnieszka"}, {"Đặng", "Thị Hương", "Phở Hương 🍜", "huong"},
	{"George", "Papadopoulos", "", "george"}, {"Charlotte", "Hughes", "Hughes Florists 🌷", "charlotte"}, {"Tariq", "Mahmood", "Crescent Taxis", "tariq"},
}

var peopleOfEurope = []person{
	{"Jürgen", "Müller-Lüdenscheidt", "Müller & Söhne OHG", "juergen"}, {"Käthe", "Größmann", "", "kaethe"}, {"François", "L'Hôpital", "Atelier L'Hôpital", "francois"},
	{"Łukasz", "Żółkiewski", "", "lukasz"}, {"Søren", "Ærøskøbing", "Fjord ApS", "soren"}, {"Ελένη", "Παπαδοπούλου", "Ταβέρνα Ελένη", "eleni"},
	{"Дмитро", "Шевченко", "", "dmytro"}, {"Şükrü", "Çağlar", "Çağlar Döner", "suekrue"}, {"Anna-Lena", "Freifrau von und zu Hohenstein-Wittelsbach", "", "anna-lena"},
	{"Björn", "Þórsson", "", "bjoern"}, {"ليلى", "حدّاد", "مقهى ليلى", "leila"}, {"Giulia", "D'Amico", "Gelateria D'Amico 🍨", "giulia"},
	{"Ștefan", "Brâncuși", "", "stefan"}, {"Heike", "Schröder", "Praxis Dr. Schröder", "heike"}, {"João", "Gonçalves", "", "joao"},
}

var peopleOfAsia = []person{
	{"太郎", "山田", "山田工務店", "taro.yamada"}, {"花子", "佐藤", "", "hanako"}, {"小明", "王", "", "xiaoming"}, {"지훈", "김", "김치하우스", "jihoon"},
	{"สมชาย", "ใจดี", "", "somchai"}, {"さくら", "小鳥遊", "小鳥遊デザイン 🐦", "sakura.t"}, {"Nguyễn", "Văn An", "", "an.nguyen"}, {"アレックス", "スミス", "", "alex"},
	{"अनिल", "शर्मा", "शर्मा चाय ☕", "anil"}, {"美咲", "高橋", "", "misaki"},
}

// Everyday names, for all who come after those.
var (
	namesOfBritain = names{split("Oliver Amelia Harry Isla Noah Olivia Leo Freya Arthur Grace Muhammad Aisha Jack Emily Theo Sophie Finley Hannah Kofi Imogen"),
		split("Smith Patel Jones Taylor Khan Williams Brown Davies Evans Walker O'Brien Wright Thompson Green Clarke Okonkwo Baker Campbell Shah Turner")}
	namesOfEurope = names{split("Lukas Mia Felix Emma Jonas Hanna Maximilian Lena Elif Paul Marie Tim Clara Matteo Ida Jakub Nele Emil Zeynep Anton"),
		split("Müller Schmidt Fischer Weber Yılmaz Wagner Becker Hoffmann Koch Richter Kowalski Klein Wolf Neumann Krüger Rossi Braun Zimmermann Lange Huber")}
	namesOfAsia = names{split("蓮 陽葵 湊 凛 悠真 紬 樹 咲良 大和 結菜 健太 彩 翔 由美 誠 恵"), split("鈴木 伊藤 渡辺 中村 小林 加藤 吉田 山本 井上 木村 林 清水 斎藤 松本 池田 橋本")}
)

type names struct{ first, last []string }

func split(text string) []string { return strings.Fields(text) }

// customer is a person as one shop's portal knows them.
type customer struct {
	id   int
	who  person
	home town
	mail string
	// typed is the card that they pay with; card says that one is saved at Stripe.
	typed string
	card  bool
}

// meet makes a shop's next customer.
func (s *shop) meet() *customer {
	n := len(s.customers)
	c := &customer{id: s.firstCustomer + 7*n, home: s.towns[s.rng.IntN(len(s.towns))], typed: s.cards[s.rng.IntN(len(s.cards))]}
	if n < len(s.people) {
		c.who = s.people[n]
		c.mail = c.who.mail + "@example.com"
	} else {
		c.who = person{first: s.names.first[s.rng.IntN(len(s.names.first))], last: s.names.last[s.rng.IntN(len(s.names.last))]}
		c.mail = fmt.Sprintf("customer%d@example.com", c.id)
	}
	s.customers = append(s.customers, c)
	return c
}

// customer is who comes now: somebody new, or somebody who was here before, the newer the likelier.
func (s *shop) customer() *customer {
	known := len(s.customers)
	if known == 0 || s.rng.IntN(100) < 14 {
		return s.meet()
	}
	return s.customers[known-1-min(s.rng.IntN(known), s.rng.IntN(known))]
}

// record is the customer as the portal sends them.
func (c *customer) record() map[string]any {
	return map[string]any{
		"ICustomer":           c.id,
		"PersonalInformation": map[string]any{"FirstName": c.who.first, "LastName": c.who.last, "Company": c.who.company},
		"CustomerContact":     map[string]any{"Email": c.mail, "Phone1": c.home.phone},
		"CustomerAddress":     map[string]any{"Address1": c.home.street, "City": c.home.city, "Postcode": c.home.postcode, "Country": c.home.country},
	}
}

func (c *customer) name() string { return fmt.Sprintf("%s %s", c.who.first, c.who.last) }
