package main

func rejects(s *suite) error      { return nil }
func encodings(s *suite) error    { return nil }
func applies(s *suite) error      { return nil }
func patches(s *suite) error      { return nil }
func lists(s *suite) error        { return nil }
func watches(s *suite) error      { return nil }
func deletions(s *suite) error    { return nil }
func subresources(s *suite) error { return nil }
func paths(s *suite) error        { return nil }
