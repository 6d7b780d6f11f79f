// A vault's keys, changed and carried elsewhere.
//
//     keys.next.part   written: the new key files; for a new `store` also every header, and master.key, wrapped anew
//     keys.next        all of it is on the disk: from here on only forwards
//                      headers into the images of both directories, master.key into both, key files into keys/
//     (nothing)        done
//
// SPDX-License-Identifier: Apache-2.0
#include "vault/key_life.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "base/codec.h"
#include "base/file_set.h"
#include "base/json.h"
#include "crypto/key_backup.h"
#include "envelope/envelope.h"
#include "store/at_rest.h"
#include "store/directory_blob_store.h"
#include "store/repair_file.h"
#include "vault/backup.h"
#include "vault/check.h"
#include "vault/vault_lock.h"

namespace sat {

namespace {

using Place = DirectoryBlobStore::Place;

constexpr const char* kHeaders = "headers";
constexpr const char* kMasterKey = "master.key";
constexpr const char* kDuplicate = "duplicate";
constexpr std::size_t kMaxPath = 4096;
constexpr std::string_view kHeadersMagic = "SATH\x01\0\0\0";
constexpr std::size_t kHeadersMagicSize = 8;

Path keys_of(const Path& data) { return data / "keys"; }

Result<void> remove_file(const Path& path) {
    if (unlink(path.c_str()) != 0 && errno != ENOENT) return fail(errno_error("remove", path, errno));
    return {};
}

std::optional<ArtworkId> artwork_of(const Path& file) {
    const auto id = ArtworkId::from_canonical(file.filename().string().substr(0, ArtworkId::kSize));
    return id ? std::optional(*id) : std::nullopt;
}

// Every work that has something at an image's name in one of the places.
Result<std::set<std::string>> list_images(const std::vector<Place>& places) {
    std::set<std::string> out;
    for (const Place& place : places) {
        std::error_code error;
        std::filesystem::recursive_directory_iterator at(place.images, error);
        if (error == std::errc::no_such_file_or_directory) continue;
        for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
            const auto artwork = artwork_of(at->path());
            if (artwork && at->path() == place.image(*artwork)) out.insert(artwork->str());
        }
        if (error) return fail(errno_error("read", place.images, error.value()));
    }
    return out;
}

// What lies at an image's name.
struct ImageFile {
    FileDescriptor fd;        // none where there is no image, or none that could be read and written
    Bytes begin;              // its first bytes, as many as a header may have
    std::string damage;       // why there is no descriptor, where something is there
    bool unreadable = false;  // it is the disk's damage: there may be an image yet
};

// Fails where that says nothing of the image: it is not ours to open, or nothing can be written.
Result<ImageFile> open_image(const Path& image) {
    ImageFile out;
    const auto damaged = [&out](bool unreadable) {
        out.fd.reset();
        out.damage = unreadable ? "it cannot be read" : "it is no regular file";
        out.unreadable = unreadable;
        return std::move(out);
    };
    // O_NONBLOCK: a FIFO must not keep us waiting before it is found to be none.
    out.fd.reset(::open(image.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK));
    struct stat status {};
    const int problem = out.fd && fstat(out.fd.get(), &status) == 0 ? 0 : errno;
    switch (problem) {
        case 0:
            break;
        case ENOENT:
            return out;
        case ELOOP:
        case EISDIR:
        case ENOTDIR:
        case ENXIO:
        case ENODEV:
            return damaged(false);
        case EIO:
        case EBADMSG:
        case EUCLEAN:
            return damaged(true);
        default:
            return fail(errno_error("open", image, problem));
    }
    if (!S_ISREG(status.st_mode)) return damaged(false);
    out.begin.resize(kMaxEnvelopeHeader);
    const auto got = read_some(out.fd.get(), out.begin, image);
    if (!got) return damaged(true);
    out.begin.resize(*got);
    return out;
}

// The header that an image begins with, or nothing where it is damaged.
std::optional<EnvelopeHeader> header_of(const ImageFile& image) {
    if (image.begin.size() < kEnvelopePrefixSize) return std::nullopt;
    const auto size = EnvelopeHeader::size_from_prefix(image.begin);
    if (!size || *size > image.begin.size()) return std::nullopt;
    auto header = EnvelopeHeader::parse(ByteView(image.begin).first(*size));
    return header ? std::optional(std::move(*header)) : std::nullopt;
}

// The header for the new key, from the first copy whose header opens.  config: a copy could not be given it, and would
// stay under a key that is no more.
Result<std::optional<EnvelopeHeader>> wrap_anew(const std::vector<Place>& places, const ArtworkId& artwork,
                                                const VaultKeys& keys, const KemPublicKey& store) {
    constexpr const char* kMendFirst =
        "mend it first: `check --repair`, with the duplicate named; what that cannot mend, move away";
    std::optional<EnvelopeHeader> out;
    for (const Place& place : places) {
        const Path path = place.image(artwork);
        auto image = open_image(path);
        if (!image && image.error().hint.empty()) image.error().hint = kMendFirst;
        if (!image) return fail(std::move(image.error()));
        if (!image->damage.empty()) return fail(Errc::config, path.string() + ": " + image->damage, kMendFirst);
        const auto header = header_of(*image);
        if (out || !header || header->artwork != artwork || header->recipient != keys.wallet()) continue;
        auto next = rewrap(*header, Purpose::store, keys.store, Purpose::store, keys.wallet(), store);
        if (next) out.emplace(std::move(*next));
    }
    return out;
}

// Over the old one, which is as long.  What does not begin as this work's image does is damaged, and left to `check`.
// False: the disk does not give what is there.
Result<bool> put_header(const Path& path, ByteView header) {
    SAT_TRY_VALUE(const ImageFile image, open_image(path));
    if (image.unreadable) return false;
    if (image.begin.size() < header.size()) return true;
    const ByteView there = ByteView(image.begin).first(header.size());
    if (EnvelopeHeader::size_from_prefix(there).value_or(0) != header.size()) return true;
    if (!std::equal(header.begin(), header.begin() + kEnvelopeContextSize, there.begin())) return true;
    if (!std::equal(header.begin(), header.end(), there.begin())) {
        for (std::size_t at = 0; at < header.size();) {
            const ssize_t put = pwrite(image.fd.get(), header.data() + at, header.size() - at, static_cast<off_t>(at));
            if (put < 0 && errno == EINTR) continue;
            if (put < 0) return fail(errno_error("write", path, errno));
            at += static_cast<std::size_t>(put);
        }
    }
    // Also where it is there already: whoever wrote it may have been cut off before.
    SAT_TRY(sync_fd(image.fd.get(), path));
    return true;
}

// A header that a copy could not be given, for whoever gets that copy read again: the key that it has opens no more.
Result<void> keep_header(const Path& data, const ArtworkId& artwork, ByteView header) {
    SAT_TRY(make_private_directory(data / kDamagedDirectory));
    return write_file_atomically(data / kDamagedDirectory / (artwork.str() + ".header"), header,
                                 AtomicFile::Existing::replace, 0600);
}

Result<void> put_headers(const Path& file, const std::vector<Place>& places) {
    const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return fail(errno_error("read", file, errno));
    const auto damaged = [&] { return fail(Errc::io_error, file.string() + " is damaged"); };
    Bytes magic(kHeadersMagicSize);
    SAT_TRY_VALUE(std::size_t got, read_some(fd.get(), magic, file));
    if (as_text(magic) != std::string_view(kHeadersMagic.data(), kHeadersMagicSize)) return damaged();
    for (;;) {
        Bytes length(2);
        SAT_TRY_VALUE(got, read_some(fd.get(), length, file));
        if (got == 0) return {};
        const std::size_t size = ByteReader(length).u16();
        if (got != length.size() || size < kMinEnvelopeHeader || size > kMaxEnvelopeHeader) return damaged();
        Bytes bytes(size);
        SAT_TRY_VALUE(got, read_some(fd.get(), bytes, file));
        const auto header = EnvelopeHeader::parse(bytes);
        if (got != size || !header) return damaged();
        for (const Place& place : places) {
            SAT_TRY_VALUE(const bool put, put_header(place.image(header->artwork), bytes));
            if (!put) SAT_TRY(keep_header(places.front().root, header->artwork, bytes));
        }
    }
}

// What an upload left there to be gone on with is sealed under the old key: its client begins anew.
Result<void> drop_uploads(const Place& place) {
    std::error_code error;
    std::filesystem::directory_iterator at(place.incoming, error);
    if (error == std::errc::no_such_file_or_directory) return {};
    const std::filesystem::directory_iterator end;
    for (; !error && at != end; at.increment(error))
        if (at->is_regular_file(error) && artwork_of(at->path())) SAT_TRY(remove_file(at->path()));
    if (error) return fail(errno_error("read", place.incoming, error.value()));
    return {};
}

// Under the lock of `data`.
Result<void> carry_out(const Path& data) {
    const Path set = data / kFileSet;
    std::vector<Place> places{Place::of_data(data)};
    FileDescriptor duplicate_lock;
    const bool headers = is_there(set / kHeaders);
    const bool master_key = is_there(set / kMasterKey);
    // Where neither is there any more, both directories have all of it.
    if ((headers || master_key) && is_there(set / kDuplicate)) {
        SAT_TRY_VALUE(const Bytes name, read_file(set / kDuplicate, kMaxPath));
        const Path duplicate(to_string(name));
        if (!is_there(duplicate / kMasterKey))
            return fail(Errc::config, "keys are being changed, and the duplicate in " + duplicate.string() + " is gone",
                        "put it back there; where it is lost for good, remove " + (set / kDuplicate).string());
        SAT_TRY_VALUE(duplicate_lock, lock_vault(duplicate));
        places.push_back(Place::of_duplicate(duplicate));
    }
    if (headers) {
        SAT_TRY(put_headers(set / kHeaders, places));
        for (const Place& place : places) SAT_TRY(drop_uploads(place));
    }
    if (master_key) {
        SAT_TRY_VALUE(const Bytes master, read_file(set / kMasterKey, kMaxMasterKeyFile));
        for (const Place& place : places)
            SAT_TRY(write_file_atomically(place.root / kMasterKey, master, AtomicFile::Existing::replace, 0600));
    }
    // Where all of it goes, last: what is left of it is done again in both directories or in none.
    for (const char* name : {kHeaders, kMasterKey}) SAT_TRY(remove_file(set / name));
    SAT_TRY(sync_directory(set));
    SAT_TRY(remove_file(set / kDuplicate));
    SAT_TRY(make_private_directory(keys_of(data)));
    return finish_file_set(data, keys_of(data));
}

// Under the lock of `data`.  No command opens the keys before it has succeeded, so it says how that can be brought
// about.
Result<void> finish_locked(const Path& data) {
    if (!file_set_waits(data)) return {};
    auto done = carry_out(data);
    if (!done && done.error().code == Errc::io_error && done.error().hint.empty())
        done.error().hint =
            "keys are being changed, and that has to end first: put right what is named; an image that "
            "is lost, move away; where the duplicate is lost for good, remove " +
            (data / kFileSet / kDuplicate).string();
    return done;
}

// No vault runs, and no backup reads what is about to change.
struct KeyLock {
    FileDescriptor vault;
    FileDescriptor backup;
};

Result<KeyLock> lock_keys(const Path& data) {
    KeyLock lock;
    SAT_TRY_VALUE(lock.vault, lock_vault(data));
    SAT_TRY_VALUE(lock.backup, lock_for_repair(data));
    SAT_TRY(finish_locked(data));
    return lock;
}

// The key files into `set`, opened again as the next command will.
Result<void> write_checked(const FileSet& set, const VaultKeys& keys, const SecretBytes* passphrase) {
    SAT_TRY(write_vault_keys(set.path(), keys, passphrase));
    SAT_TRY_VALUE(const VaultKeys written, load_vault_keys(set.path(), passphrase));
    if (written.store.public_key().id() != keys.store.public_key().id() ||
        written.chain.newest_id() != keys.chain.newest_id())
        return fail(Errc::io_error, "the key files read back otherwise than they were written");
    return {};
}

RsaBits bits_of(std::size_t block_size) { return block_size == kMaxRsaBlock ? RsaBits::b4096 : RsaBits::b3072; }

Result<void> write_synced(const Path& path, ByteView bytes) {
    return write_file_atomically(path, bytes, AtomicFile::Existing::refuse, 0600);
}

Result<MasterKey> open_master_key(const Path& root, const VaultKeys& keys) {
    const Path path = root / kMasterKey;
    SAT_TRY_VALUE(const Bytes file, read_file(path, kMaxMasterKeyFile));
    auto master = MasterKey::unwrap(file, keys.wallet(), keys.store);
    if (master) return master;
    if (MasterKey::fault_of(file, keys.wallet(), keys.store) == MasterKey::Fault::damaged)
        return fail(Errc::config, path.string() + " does not open with this vault's store key",
                    "mend it first: `check --repair`, with the duplicate named");
    return fail(Errc::config, path.string() + " is another vault's", "name the directory that belongs to this vault");
}

// The one master key of all directories that a new `store` is for; nothing where nothing was ever stored.  Whatever
// directory was named by mistake is found here, before anything changes.
Result<std::optional<MasterKey>> require_one_vault(const std::vector<Place>& places, const VaultKeys& keys) {
    const Path& data = places.front().root;
    std::optional<MasterKey> master;
    for (const Place& place : places) {
        const bool stored = is_there(place.root / kMasterKey);
        if (place.root == data && !stored) {
            if (is_there(data / "catalog.sqlite"))
                return fail(Errc::config, (data / kMasterKey).string() + " is missing",
                            "copy master.key from the duplicate directory or a backup");
            continue;
        }
        if (!stored && !master) continue;  // a duplicate as empty as the data
        if (!stored)
            return fail(Errc::config, place.root.string() + " is not this vault's duplicate: it has no master.key",
                        "name the directory that is; what an intact one lacks, `check --repair` puts there");
        SAT_TRY_VALUE(MasterKey found, open_master_key(place.root, keys));
        if (place.root != data && (!master || master->check_value() != found.check_value()))
            return fail(Errc::config, place.root.string() + " and " + data.string() + " do not belong together",
                        "name the duplicate directory that belongs to this vault");
        master = std::move(found);
    }
    return master;
}

std::vector<Place> places_of(const VaultRekey& rekey) {
    std::vector<Place> places{Place::of_data(rekey.data)};
    if (rekey.duplicate) places.push_back(Place::of_duplicate(*rekey.duplicate));
    return places;
}

// A copy that stays under the old key may be the only good one of an image: the vault's own duplicate takes part, and
// not another of its age.  It may lie elsewhere than it did, but not where it did as well.
Result<void> require_duplicate_named(const VaultRekey& rekey, const VaultKeys& keys) {
    if (rekey.without_duplicate) return {};
    const auto recorded = recorded_duplicate(rekey.data);
    if (!recorded) return {};
    const std::string problem = "the vault has a duplicate, last in " + *recorded + ", and it was not named";
    if (!rekey.duplicate)
        return fail(Errc::config, problem,
                    "name it with --duplicate; where it is lost for good, say so with --no-duplicate");
    const Path master = Path(*recorded) / kMasterKey;
    std::error_code error;
    if (!is_there(master) || std::filesystem::equivalent(*recorded, *rekey.duplicate, error)) return {};
    const auto file = read_file(master, kMaxMasterKeyFile);
    if (file && MasterKey::fault_of(*file, keys.wallet(), keys.store) == MasterKey::Fault::foreign) return {};
    return fail(Errc::config, problem,
                "name it with --duplicate; where another has taken its place, let the vault run with that one first");
}

// Everything that hangs on `store`, wrapped for the new one, into `set`.
Result<void> prepare_store(const VaultRekey& rekey, const VaultKeys& keys, const MasterKey& master,
                           const KemPublicKey& store, const FileSet& set, VaultRekeyReport& report) {
    const std::vector<Place> places = places_of(rekey);
    SAT_TRY(write_synced(set.path() / kMasterKey, master.wrap(keys.wallet(), store)));
    SAT_TRY_VALUE(const auto images, list_images(places));
    SAT_TRY_VALUE(AtomicFile headers, AtomicFile::create(set.path() / kHeaders, AtomicFile::Existing::refuse, 0600));
    SAT_TRY(headers.write(as_bytes(std::string_view(kHeadersMagic.data(), kHeadersMagicSize))));
    for (const std::string& name : images) {
        if (rekey.stopped && rekey.stopped()) return fail(Errc::cancelled, "stopped by a signal");
        SAT_TRY_VALUE(const ArtworkId artwork, ArtworkId::parse(name));
        SAT_TRY_VALUE(const auto header, wrap_anew(places, artwork, keys, store));
        if (!header) {
            report.lost.push_back(name);
            continue;
        }
        SAT_TRY(headers.write(ByteWriter().vec16(header->encode()).bytes()));
        ++report.works;
    }
    SAT_TRY(headers.commit());
    if (!rekey.duplicate) return {};
    std::error_code error;
    const Path duplicate = std::filesystem::absolute(*rekey.duplicate, error);
    return write_synced(set.path() / kDuplicate, as_bytes(duplicate.string()));
}

tl::unexpected<Error> not_keys(const Error& why) {
    return fail(Errc::bad_data, "the key backup does not hold a vault's keys: " + why.message);
}

template <typename Key>
Result<Key> unpack_key(const BackupFiles& files, const char* name) {
    SAT_TRY_VALUE(KeyHandle handle, decode_private_key(find_backup_file(files, name)->reveal(), nullptr));
    return Key::from_handle(std::move(handle));
}

// Each in its role; whether they belong together is for write_checked().
Result<VaultKeys> unpack(const BackupFiles& files) {
    const bool complete = std::equal(files.begin(), files.end(), kKeyFiles.begin(), kKeyFiles.end(),
                                     [](const BackupFile& file, const char* name) { return file.name == name; });
    if (!complete) return fail(Errc::bad_data, "it has other files");
    SAT_TRY_VALUE(const Json json, parse_json(as_text(find_backup_file(files, "identity.json")->reveal())));
    SAT_TRY_VALUE(IdentityChain chain, IdentityChain::from_json(json));
    SAT_TRY_VALUE(SigningKey sign, unpack_key<SigningKey>(files, "sign.pem"));
    SAT_TRY_VALUE(KemPrivateKey kem, unpack_key<KemPrivateKey>(files, "kem.pem"));
    SAT_TRY_VALUE(KemPrivateKey store, unpack_key<KemPrivateKey>(files, "store.pem"));
    SAT_TRY_VALUE(LogKey log, unpack_key<LogKey>(files, "log.pem"));
    return VaultKeys{std::move(sign), std::move(kem), std::move(store), std::move(log), std::move(chain)};
}

}  // namespace

Result<void> finish_key_change(const Path& data) {
    if (!file_set_waits(data)) return {};
    SAT_TRY_VALUE(const KeyLock lock, lock_keys(data));
    return {};
}

Result<void> change_vault_passphrase(const Path& data, const SecretBytes* from, const SecretBytes* to) {
    SAT_TRY_VALUE(const KeyLock lock, lock_keys(data));
    SAT_TRY_VALUE(const VaultKeys keys, load_vault_keys(keys_of(data), from));
    SAT_TRY_VALUE(FileSet set, FileSet::begin(data));
    SAT_TRY(write_checked(set, keys, to));
    SAT_TRY(set.commit());
    return finish_locked(data);
}

Result<VaultRekeyReport> rekey_vault(const VaultRekey& rekey) {
    SAT_TRY_VALUE(const KeyLock lock, lock_keys(rekey.data));
    SAT_TRY_VALUE(VaultKeys keys, load_vault_keys(keys_of(rekey.data), rekey.passphrase));
    FileDescriptor duplicate_lock;
    std::optional<MasterKey> master;
    if (rekey.store) {
        SAT_TRY(require_duplicate_named(rekey, keys));
        // What is to be restored opens with the present `store` alone.
        SAT_TRY(refuse_unfinished_restore(rekey.data));
        if (rekey.duplicate) SAT_TRY(require_private_directory(*rekey.duplicate));
        SAT_TRY_VALUE(master, require_one_vault(places_of(rekey), keys));
        // Not sooner: a directory that was named by mistake is not written to.
        if (rekey.duplicate) {
            SAT_TRY_VALUE(duplicate_lock, lock_vault(*rekey.duplicate));
        }
    }
    VaultRekeyReport report{keys.chain, 0, {}};
    SAT_TRY_VALUE(FileSet set, FileSet::begin(rekey.data));
    if (rekey.store) {
        KemPrivateKey store = KemPrivateKey::generate(bits_of(keys.store.public_key().block_size()));
        if (master) SAT_TRY(prepare_store(rekey, keys, *master, store.public_key(), set, report));
        keys.store = std::move(store);
    }
    if (rekey.kem) {
        const RsaBits bits = rekey.bits.value_or(bits_of(keys.kem.public_key().block_size()));
        SigningKey sign = SigningKey::generate(bits);
        KemPrivateKey kem = KemPrivateKey::generate(bits);
        SAT_TRY_VALUE(keys.chain,
                      extend_identity(keys.chain, keys.sign, sign.public_key(), kem.public_key(), rekey.now));
        keys.sign = std::move(sign);
        keys.kem = std::move(kem);
    }
    SAT_TRY(write_checked(set, keys, rekey.passphrase));
    if (rekey.stopped && rekey.stopped()) return fail(Errc::cancelled, "stopped by a signal");
    SAT_TRY(set.commit());
    duplicate_lock.reset();
    SAT_TRY(finish_locked(rekey.data));
    report.chain = keys.chain;
    return report;
}

Result<Bytes> export_vault_keys(const Path& data, const SecretBytes* passphrase, const SecretBytes& seal) {
    // A vault may run meanwhile, and others read; the keys stay as they are.
    SAT_TRY_VALUE(const FileDescriptor lock, keep_from_repair(data));
    if (file_set_waits(data))
        return fail(Errc::busy, "the keys in " + data.string() + " are being changed", "try again");
    SAT_TRY_VALUE(const VaultKeys keys, load_vault_keys(keys_of(data), passphrase));
    BackupFiles files;
    for (const char* name : kKeyFiles) {
        const Path path = keys_of(data) / name;
        SAT_TRY_VALUE(SecretBytes bytes, read_secret_file(path, kMaxKeyFile));
        if (path.extension() == ".pem" && std::string_view(name) != "sign.pub.pem") {
            SAT_TRY_VALUE(const KeyHandle key, decode_private_key(bytes.reveal(), passphrase));
            SAT_TRY(pairwise_check(key));
            bytes = encode_private_key(key, nullptr);
        }
        files.push_back({name, std::move(bytes)});
    }
    return seal_key_backup(KeyBackupKind::vault, files, seal);
}

Result<IdentityChain> import_vault_keys(const Path& data, ByteView backup, const SecretBytes& seal,
                                        const SecretBytes* passphrase) {
    const auto refuse = [&] {
        return fail(Errc::exists, "there are keys in " + keys_of(data).string() + " already",
                    "a vault's keys are never replaced; another vault needs another --data");
    };
    if (vault_keys_exist(keys_of(data))) return refuse();
    SAT_TRY_VALUE(const BackupFiles files, open_key_backup(backup, KeyBackupKind::vault, seal));
    SAT_TRY(make_private_directory(data));
    SAT_TRY_VALUE(const KeyLock lock, lock_keys(data));
    std::error_code error;
    if (is_there(keys_of(data)) && !std::filesystem::is_empty(keys_of(data), error)) return refuse();
    const auto keys = unpack(files);
    if (!keys) return not_keys(keys.error());
    // While another backup can still be taken: keys that are there are never replaced.
    if (const Path path = data / kMasterKey; is_there(path)) {
        SAT_TRY_VALUE(const Bytes master, read_file(path, kMaxMasterKeyFile));
        if (!MasterKey::unwrap(master, keys->wallet(), keys->store))
            return fail(Errc::config, path.string() + " does not open with the keys in this backup",
                        "take a backup of this vault's keys made after the last `rekey --store`; a master.key that is "
                        "damaged, copy from the duplicate directory first");
    }
    SAT_TRY_VALUE(FileSet set, FileSet::begin(data));
    // Judged as any keys are that are read.
    if (auto written = write_checked(set, *keys, passphrase); !written) {
        const Errc code = written.error().code;
        if (code == Errc::config || code == Errc::key_policy) return not_keys(written.error());
        return fail(std::move(written.error()));
    }
    SAT_TRY(set.commit());
    SAT_TRY(finish_locked(data));
    return keys->chain;
}

}  // namespace sat
