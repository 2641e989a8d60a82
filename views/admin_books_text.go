package views

// booksTone is the class of a tone; what is none has no colour.
func booksTone(tone string) string {
	switch tone {
	case "good", "calm", "warning", "bad":
		return "tone-" + tone
	}
	return "tone-none"
}

// booksShort is the end of an id, which is what differs; the beginning is its time.
func booksShort(id string) string {
	const keep = 8
	if len(id) <= keep+4 {
		return id
	}
	return id[:4] + "…" + id[len(id)-keep:]
}

func booksIf(ok bool, s string) string {
	if ok {
		return s
	}
	return ""
}

func booksPlural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
