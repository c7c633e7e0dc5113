// Command hello is the program in the image node-hello: it answers "Hello Kubernetes!" on port 8080 and ends at once
// on SIGTERM, without letting requests finish, as the program it stands for does.
package main

import (
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		os.Exit(0)
	}()
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println("Received request for URL:", r.URL)
		fmt.Fprint(w, "Hello Kubernetes!")
	})
	fmt.Println("Listening on", port)
	if err := http.ListenAndServe(":"+port, handler); err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
}
