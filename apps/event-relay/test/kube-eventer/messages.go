// Reads Events as a JSON array and prints, as a JSON array of texts, the Kafka messages that kube-eventer makes of them:
// the same types (k8s.io/api v0.17.4, as in its go.mod), the same two calls of encoding/json.
package main

import (
	"encoding/json"
	"io"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
)

type message struct {
	EventValue     interface{}
	EventTimestamp time.Time
	EventTags      map[string]string
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	input, err := io.ReadAll(os.Stdin)
	check(err)
	var events []corev1.Event
	check(json.Unmarshal(input, &events))
	texts := []string{}
	for _, event := range events {
		value, err := json.MarshalIndent(&event, "", " ")
		check(err)
		last := event.LastTimestamp.Time
		if event.LastTimestamp.IsZero() {
			last = event.EventTime.Time
		}
		tags := map[string]string{"eventID": string(event.UID), "hostname": event.Source.Host}
		if event.InvolvedObject.Kind == "Pod" {
			tags["pod_id"] = string(event.InvolvedObject.UID)
			tags["pod_name"] = event.InvolvedObject.Name
		}
		text, err := json.Marshal(message{string(value), last.UTC(), tags})
		check(err)
		texts = append(texts, string(text))
	}
	output := json.NewEncoder(os.Stdout)
	output.SetIndent("", " ")
	check(output.Encode(texts))
}
