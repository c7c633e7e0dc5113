package apiserver

func (s *Server) connect(q *request) error { return notFoundPath() }
