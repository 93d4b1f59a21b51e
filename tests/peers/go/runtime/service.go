package main

import (
	"context"

	"google.golang.org/grpc"
)

// A handler of calls with one request and one answer.
type unaryHandler func(ctx context.Context, request []byte) ([]byte, error)

// A handler of calls with one request and many answers.
type streamHandler func(stream grpc.ServerStream, request []byte) error

func register(server *grpc.Server, service string, unary map[string]unaryHandler, streams map[string]grpc.StreamHandler) {
	description := grpc.ServiceDesc{ServiceName: service, HandlerType: (*interface{})(nil)}
	for name, handler := range unary {
		description.Methods = append(description.Methods, grpc.MethodDesc{MethodName: name, Handler: one(handler)})
	}
	for name, handler := range streams {
		description.Streams = append(description.Streams,
			grpc.StreamDesc{StreamName: name, Handler: handler, ServerStreams: true, ClientStreams: true})
	}
	server.RegisterService(&description, struct{}{})
}

// What grpc-go calls for a method with one request and one answer.
type methodHandler = func(interface{}, context.Context, func(interface{}) error, grpc.UnaryServerInterceptor) (interface{}, error)

func one(handler unaryHandler) methodHandler {
	return func(_ interface{}, ctx context.Context, decode func(interface{}) error, _ grpc.UnaryServerInterceptor) (interface{}, error) {
		var request []byte
		if err := decode(&request); err != nil {
			return nil, err
		}
		return handler(ctx, request)
	}
}

func few(handler streamHandler) grpc.StreamHandler {
	return func(_ interface{}, stream grpc.ServerStream) error {
		var request []byte
		if err := stream.RecvMsg(&request); err != nil {
			return err
		}
		return handler(stream, request)
	}
}
