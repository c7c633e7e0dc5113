package oci

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/kubeskiff/skiff/pkg/orchestrator/container"
)

// passwdEntry is a line of /etc/passwd.
type passwdEntry struct {
	name     string
	uid, gid uint32
}

// groupEntry is a line of /etc/group.
type groupEntry struct {
	name    string
	gid     uint32
	members []string
}

// resolveUser finds who runs the container: numbers from the pod, or the image's user by name or number, with the
// image's own groups of that user and those that the pod adds.
func resolveUser(s container.Security, imageUser, rootfs string) (specs.User, error) {
	passwd, groups, err := accounts(rootfs)
	if err != nil {
		return specs.User{}, err
	}
	name := s.Username
	if name == "" && s.UID < 0 {
		name = imageUser
	}
	if s.UID > 0 || name == "" {
		name = strconv.FormatInt(max(s.UID, 0), 10)
	}
	user, err := lookUp(name, passwd, groups)
	if err != nil {
		return specs.User{}, err
	}
	if s.GID > 0 || (s.GID == 0 && s.UID > 0 && s.Username == "") {
		user.GID = uint32(s.GID)
	}
	user.AdditionalGids = append(user.AdditionalGids, user.GID)
	for _, gid := range s.Groups {
		user.AdditionalGids = append(user.AdditionalGids, uint32(gid))
	}
	slices.Sort(user.AdditionalGids)
	user.AdditionalGids = slices.Compact(user.AdditionalGids)
	return user, nil
}

// lookUp understands "user", "uid", "user:group" and any mix of numbers and names.
func lookUp(spec string, passwd []passwdEntry, groups []groupEntry) (specs.User, error) {
	who, group, hasGroup := strings.Cut(spec, ":")
	var user specs.User
	entry := slices.IndexFunc(passwd, func(p passwdEntry) bool { return p.name == who })
	if n, err := strconv.ParseUint(who, 10, 31); err == nil {
		user.UID = uint32(n)
		if entry < 0 {
			entry = slices.IndexFunc(passwd, func(p passwdEntry) bool { return p.uid == user.UID })
		}
	} else if entry < 0 && who != "" && who != "root" {
		return user, fmt.Errorf("unable to find user %s: no matching entries in passwd file", who)
	}
	name := ""
	if entry >= 0 {
		user.UID, user.GID, name = passwd[entry].uid, passwd[entry].gid, passwd[entry].name
	}
	if hasGroup && group != "" {
		i := slices.IndexFunc(groups, func(g groupEntry) bool { return g.name == group })
		if n, err := strconv.ParseUint(group, 10, 31); err == nil {
			user.GID = uint32(n)
		} else if i < 0 {
			return user, fmt.Errorf("unable to find group %s: no matching entries in group file", group)
		} else {
			user.GID = groups[i].gid
		}
	}
	for _, g := range groups {
		if name != "" && slices.Contains(g.members, name) {
			user.AdditionalGids = append(user.AdditionalGids, g.gid)
		}
	}
	return user, nil
}

// accounts reads the image's own files; os.Root keeps links of the image inside it.
func accounts(rootfs string) (passwd []passwdEntry, groups []groupEntry, err error) {
	root, err := os.OpenRoot(rootfs)
	if err != nil {
		return nil, nil, fmt.Errorf("open root file system: %w", err)
	}
	defer root.Close()
	err = eachLine(root, "etc/passwd", func(f []string) {
		if len(f) >= 4 {
			uid, err1 := strconv.ParseUint(f[2], 10, 32)
			gid, err2 := strconv.ParseUint(f[3], 10, 32)
			if err1 == nil && err2 == nil {
				passwd = append(passwd, passwdEntry{name: f[0], uid: uint32(uid), gid: uint32(gid)})
			}
		}
	})
	if err == nil {
		err = eachLine(root, "etc/group", func(f []string) {
			if len(f) >= 4 {
				if gid, err := strconv.ParseUint(f[2], 10, 32); err == nil {
					groups = append(groups, groupEntry{name: f[0], gid: uint32(gid), members: strings.Split(f[3], ",")})
				}
			}
		})
	}
	return passwd, groups, err
}

// eachLine gives the fields of each line of a file that may be missing.
func eachLine(root *os.Root, path string, do func([]string)) error {
	f, err := root.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the image's %s: %w", path, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return fmt.Errorf("read the image's %s: not a regular file", path)
	}
	scan := bufio.NewScanner(io.LimitReader(f, 16<<20))
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		if line := strings.TrimSpace(scan.Text()); line != "" && line[0] != '#' {
			do(strings.Split(line, ":"))
		}
	}
	return scan.Err()
}
