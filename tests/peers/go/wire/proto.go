package wire

import (
	"encoding/binary"
	"fmt"
)

// Wire types of protobuf.
const (
	Varint  = 0
	Fixed64 = 1
	Bytes   = 2
	Fixed32 = 5
)

// A Field is one field of a message as it was encoded.
type Field struct {
	Number, Type int
	Value        uint64 // of a varint
	Data         []byte // of every other type
	Raw          []byte
}

// Join makes one message of parts.
func Join(parts ...[]byte) []byte {
	message := []byte{}
	for _, part := range parts {
		message = append(message, part...)
	}
	return message
}

// Number encodes a field of numbers.
func Number(number int, value uint64) []byte {
	return append(varint(uint64(number)<<3), varint(value)...)
}

// Text encodes a field of text.
func Text(number int, value string) []byte { return Message(number, []byte(value)) }

// Message encodes a field that holds a message or bytes.
func Message(number int, value []byte) []byte {
	return Join(varint(uint64(number)<<3|Bytes), varint(uint64(len(value))), value)
}

func varint(value uint64) []byte {
	encoded := make([]byte, binary.MaxVarintLen64)
	return encoded[:binary.PutUvarint(encoded, value)]
}

// Read takes a message apart.
func Read(message []byte) ([]Field, error) {
	var fields []Field
	for at := 0; at < len(message); {
		field, size, err := readOne(message[at:])
		if err != nil {
			return nil, fmt.Errorf("at byte %d: %v", at, err)
		}
		fields = append(fields, field)
		at += size
	}
	return fields, nil
}

func readOne(message []byte) (field Field, size int, err error) {
	key, size := binary.Uvarint(message)
	field.Number, field.Type = int(key>>3), int(key&7)
	value, more := uint64(4), 0
	switch field.Type {
	case Varint, Bytes:
		value, more = binary.Uvarint(message[max(size, 0):])
	case Fixed64:
		value = 8
	}
	if size <= 0 || more < 0 || more == 0 && (field.Type == Varint || field.Type == Bytes) {
		return field, 0, fmt.Errorf("a number does not end")
	}
	size += more
	if field.Type == Varint {
		field.Value = value
		value = 0
	}
	if uint64(len(message)-size) < value {
		return field, 0, fmt.Errorf("%d bytes are missing", value-uint64(len(message)-size))
	}
	end := size + int(value)
	field.Data, field.Raw = message[size:end], message[:end]
	return field, end, nil
}

func max(one, other int) int {
	if one > other {
		return one
	}
	return other
}

// Find gives the last field with bytes on a path of numbers, or nil.
func Find(message []byte, path ...int) []byte {
	for _, number := range path {
		fields, _ := Read(message)
		message = nil
		for _, field := range fields {
			if field.Number == number && field.Type == Bytes {
				message = field.Data
			}
		}
	}
	return message
}

// FindText is Find for text; it is empty where there is none.
func FindText(message []byte, path ...int) string { return string(Find(message, path...)) }

// FindNumber gives the last varint with that number, or 0.
func FindNumber(message []byte, number int) (found uint64) {
	fields, _ := Read(message)
	for _, field := range fields {
		if field.Number == number && field.Type == Varint {
			found = field.Value
		}
	}
	return found
}

// FindAll gives every text with that number.
func FindAll(message []byte, number int) (found []string) {
	fields, _ := Read(message)
	for _, field := range fields {
		if field.Number == number && field.Type == Bytes {
			found = append(found, string(field.Data))
		}
	}
	return found
}

// Without gives the message without the fields of these numbers.
func Without(message []byte, numbers ...int) []byte {
	fields, err := Read(message)
	if err != nil {
		return message
	}
	rest := []byte{}
	for _, field := range fields {
		if !contains(numbers, field.Number) {
			rest = append(rest, field.Raw...)
		}
	}
	return rest
}

func contains(numbers []int, number int) bool {
	for _, known := range numbers {
		if known == number {
			return true
		}
	}
	return false
}
