package cfg

import (
	"errors"
	"math/big"
	"strconv"
	"strings"
)

// quantity reads a number as Kubernetes writes amounts: 1.5, 100m, 2Gi or 3e6. Nothing is smaller than a billionth. The
// library of Kubernetes for it would make every program with this package begin later.
func quantity(s string) (*big.Rat, error) {
	number := strings.TrimLeft(s, "+-")
	if len(s)-len(number) > 1 || s == "" {
		return nil, errNoQuantity
	}
	digits := strings.TrimLeft(number, "0123456789")
	end := digits
	if strings.HasPrefix(digits, ".") {
		end = strings.TrimLeft(digits[1:], "0123456789")
	}
	value, ok := new(big.Rat).SetString("0" + strings.TrimSuffix(number[:len(number)-len(end)], "."))
	if !ok {
		return nil, errNoQuantity
	}
	unit, err := unit(end)
	if err != nil {
		return nil, err
	}
	value = roundUp(value.Mul(value, unit))
	if s[0] == '-' {
		value.Neg(value)
	}
	return value, nil
}

var (
	errNoQuantity = errors.New("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
	errNoUnit     = errors.New("unable to parse quantity's suffix: it is one of n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei, or an exponent")
)

// maxExponent is far beyond any amount, and bounds what is computed.
const maxExponent = 400

func unit(s string) (*big.Rat, error) {
	if s == "" {
		return big.NewRat(1, 1), nil
	}
	if i := strings.Index("n u m   k M G T P E", s); i >= 0 && len(s) == 1 && s != " " {
		return power(10, i/2*3-9), nil
	}
	if prefix, ok := strings.CutSuffix(s, "i"); ok && len(prefix) == 1 {
		if i := strings.Index("KMGTPE", prefix); i >= 0 {
			return power(2, 10*(i+1)), nil
		}
	}
	if len(s) > 1 && (s[0] == 'e' || s[0] == 'E') {
		if n, err := strconv.ParseInt(s[1:], 10, 64); err == nil {
			return power(10, int(max(-maxExponent, min(n, maxExponent)))), nil
		}
	}
	if strings.Trim(s, "eEinumkKMGTP+-0123456789") != "" {
		return nil, errNoQuantity
	}
	return nil, errNoUnit
}

func power(base int64, exponent int) *big.Rat {
	n := new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(max(exponent, -exponent))), nil)
	if exponent < 0 {
		return new(big.Rat).SetFrac(big.NewInt(1), n)
	}
	return new(big.Rat).SetInt(n)
}

// roundUp gives whole billionths.
func roundUp(r *big.Rat) *big.Rat {
	nano := big.NewInt(1e9)
	n := new(big.Int).Mul(r.Num(), nano)
	n, rest := n.QuoRem(n, r.Denom(), new(big.Int))
	if rest.Sign() != 0 {
		n.Add(n, big.NewInt(1))
	}
	return new(big.Rat).SetFrac(n, nano)
}
