// A real SSH server that serves one user's key with git-upload-pack, and prints its port.
// Usage: git-ssh HOST_KEY AUTHORIZED_KEY GIT_COMMAND; ends when its standard input does.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"

	"golang.org/x/crypto/ssh"
)

// The one command that a remote of ours runs; paths with quotes are no part of the tests.
var uploadPack = regexp.MustCompile(`^git-upload-pack '([^']+)'$`)

func main() {
	if err := serve(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(hostKeyFile, authorizedKeyFile, git string) error {
	config, err := configure(hostKeyFile, authorizedKeyFile)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go answer(connection, config, git)
	}
}

func configure(hostKeyFile, authorizedKeyFile string) (*ssh.ServerConfig, error) {
	hostKey, err := os.ReadFile(hostKeyFile)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(hostKey)
	if err != nil {
		return nil, err
	}
	authorizedKey, err := os.ReadFile(authorizedKeyFile)
	if err != nil {
		return nil, err
	}
	authorized, _, _, _, err := ssh.ParseAuthorizedKey(authorizedKey)
	if err != nil {
		return nil, err
	}
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if bytes.Equal(key.Marshal(), authorized.Marshal()) {
				return nil, nil
			}
			return nil, errors.New("not the authorized key")
		},
	}
	config.AddHostKey(signer)
	return config, nil
}

func answer(connection net.Conn, config *ssh.ServerConfig, git string) {
	defer connection.Close()
	_, channels, requests, err := ssh.NewServerConn(connection, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for offered := range channels {
		if offered.ChannelType() != "session" {
			offered.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		if channel, requests, err := offered.Accept(); err == nil {
			go runSession(channel, requests, git)
		}
	}
}

func runSession(channel ssh.Channel, requests <-chan *ssh.Request, git string) {
	defer channel.Close()
	for request := range requests {
		var command struct{ Line string }
		if request.Type != "exec" || ssh.Unmarshal(request.Payload, &command) != nil {
			request.Reply(request.Type == "env", nil)
			continue
		}
		request.Reply(true, nil)
		status := runUploadPack(channel, command.Line, git)
		channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{status}))
		return
	}
}

func runUploadPack(channel ssh.Channel, line, git string) uint32 {
	match := uploadPack.FindStringSubmatch(line)
	if match == nil {
		fmt.Fprintf(channel.Stderr(), "refused: %s\n", line)
		return 1
	}
	process := exec.Command(git, "upload-pack", match[1])
	process.Stdout, process.Stderr = channel, channel.Stderr()
	input, err := process.StdinPipe()
	if err != nil {
		return 1
	}
	// Not `process.Stdin`: git may end before the client closes its side, and would then be waited for without end.
	go func() {
		io.Copy(input, channel)
		input.Close()
	}()
	if process.Run() != nil {
		return 1
	}
	return 0
}
