package kustomize

import (
	"slices"
	"unicode"
	"unicode/utf8"
)

// naturalLess orders keys: digits by their number, letters after anything else.
func naturalLess(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] && a[i] < utf8.RuneSelf {
		i++
	}
	if i == len(a) || i == len(b) {
		if isASCII(a) && isASCII(b) {
			return len(a) < len(b)
		}
	}
	if i < len(a) && i < len(b) && isLower(a[i]) && isLower(b[i]) {
		return a[i] < b[i]
	}
	return runesLess([]rune(a), []rune(b))
}

func naturalOrder(a, b string) int {
	if naturalLess(a, b) {
		return -1
	}
	return 1
}

// keyOrder gives the positions of keys in an order, nil if they are in order already.
func keyOrder(keys []string, compare func(a, b string) int) []int {
	if slices.IsSortedFunc(keys, compare) {
		return nil
	}
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return compare(keys[i], keys[j]) })
	return order
}

func isLower(c byte) bool { return c >= 'a' && c <= 'z' }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func runesLess(a, b []rune) bool {
	for i := 0; i < len(a) && i < len(b); i++ {
		if a[i] == b[i] {
			continue
		}
		aLetter, bLetter := unicode.IsLetter(a[i]), unicode.IsLetter(b[i])
		if aLetter && bLetter {
			return a[i] < b[i]
		}
		if aLetter || bLetter {
			return bLetter
		}
		return digitsLess(a, b, i)
	}
	return len(a) < len(b)
}

// digitsLess compares the numbers that begin at i, where the two differ. A zero after other digits is one of them.
func digitsLess(a, b []rune, i int) bool {
	var an, bn int64
	if a[i] == '0' || b[i] == '0' {
		for j := i - 1; j >= 0 && unicode.IsDigit(a[j]); j-- {
			if a[j] != '0' {
				an, bn = 1, 1
				break
			}
		}
	}
	ai, bi := i, i
	for ; ai < len(a) && unicode.IsDigit(a[ai]); ai++ {
		an = an*10 + int64(a[ai]-'0')
	}
	for ; bi < len(b) && unicode.IsDigit(b[bi]); bi++ {
		bn = bn*10 + int64(b[bi]-'0')
	}
	if an != bn {
		return an < bn
	}
	if ai != bi {
		return ai < bi
	}
	return a[i] < b[i]
}
