// A server of ours on gorilla/websocket, as its users write one: a goroutine that reads and one that writes for each
// connection, a bounded queue between, and a prepared message, so that a broadcast is framed once.
//
//	gorilla PORT
//
// POST /pub broadcasts the body as one text message to everybody on /ws.
package main

import (
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/gorilla/websocket"
)

const queued = 256 // messages that wait for one connection; whoever is further behind is dropped

type hub struct {
	sync.Mutex
	queues map[chan *websocket.PreparedMessage]bool
}

func (h *hub) join(queue chan *websocket.PreparedMessage) {
	h.Lock()
	defer h.Unlock()
	h.queues[queue] = true
}

func (h *hub) leave(queue chan *websocket.PreparedMessage) {
	h.Lock()
	defer h.Unlock()
	if h.queues[queue] {
		delete(h.queues, queue)
		close(queue)
	}
}

func (h *hub) broadcast(message *websocket.PreparedMessage) {
	h.Lock()
	defer h.Unlock()
	for queue := range h.queues {
		select {
		case queue <- message:
		default:
			delete(h.queues, queue)
			close(queue)
		}
	}
}

var upgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &sync.Pool{}}

func (h *hub) watch(answer http.ResponseWriter, request *http.Request) {
	socket, err := upgrader.Upgrade(answer, request, nil)
	if err != nil {
		return
	}
	queue := make(chan *websocket.PreparedMessage, queued)
	h.join(queue)
	go write(socket, queue)
	go h.read(socket, queue) // the handler returns, so that what served the request is let go
}

func write(socket *websocket.Conn, queue chan *websocket.PreparedMessage) {
	defer socket.Close()
	for message := range queue {
		if socket.WritePreparedMessage(message) != nil {
			return
		}
	}
}

func (h *hub) read(socket *websocket.Conn, queue chan *websocket.PreparedMessage) {
	defer h.leave(queue)
	for {
		if _, _, err := socket.ReadMessage(); err != nil {
			return
		}
	}
}

func (h *hub) publish(answer http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusBadRequest)
		return
	}
	message, err := websocket.NewPreparedMessage(websocket.TextMessage, body)
	if err != nil {
		http.Error(answer, err.Error(), http.StatusInternalServerError)
		return
	}
	h.broadcast(message)
	answer.WriteHeader(http.StatusNoContent)
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: gorilla PORT")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	h := &hub{queues: map[chan *websocket.PreparedMessage]bool{}}
	http.HandleFunc("/ws", h.watch)
	http.HandleFunc("/pub", h.publish)
	log.Fatal(http.Serve(listener, nil))
}
