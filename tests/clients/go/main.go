// Reads a stream with tmaxmax/go-sse, which reconnects by itself, and prints every event as a line of JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/tmaxmax/go-sse"
)

func main() {
	lastID := ""
	for {
		request, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, os.Args[1], http.NoBody)
		if lastID != "" {
			request.Header.Set("Last-Event-ID", lastID)
		}
		client := sse.Client{Backoff: sse.Backoff{MaxRetries: -1, MaxInterval: 5 * time.Second}}
		connection := client.NewConnection(request)
		connection.SubscribeToAll(func(event sse.Event) {
			if event.LastEventID != "" { // an event of a proxy in our place has none
				lastID = event.LastEventID
			}
			line, _ := json.Marshal(map[string]string{"event": event.Type, "id": event.LastEventID, "data": event.Data})
			fmt.Println(string(line))
		})
		err := connection.Connect()
		fmt.Fprintln(os.Stderr, err)
		time.Sleep(time.Second)
	}
}
