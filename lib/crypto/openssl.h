// What the files of crypto/ share about OpenSSL 3.0: one owner for each of its types, and its byte pointers.
// Included by crypto/*.cc alone: OpenSSL's types go no further than this floor.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#ifndef OPENSSL_NO_DEPRECATED
#define OPENSSL_NO_DEPRECATED 1
#endif

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

#include "base/assert.h"
#include "base/bytes.h"

namespace sat {

template <auto Function>
struct FreeWith {
    template <typename T>
    void operator()(T* object) const noexcept {
        Function(object);
    }
};

using BignumOwner = std::unique_ptr<BIGNUM, FreeWith<BN_clear_free>>;
using BioOwner = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using MdContextOwner = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using PkeyContextOwner = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using Pkcs8Owner = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeWith<PKCS8_PRIV_KEY_INFO_free>>;
using X509SigOwner = std::unique_ptr<X509_SIG, FreeWith<X509_SIG_free>>;

inline const unsigned char* octets(ByteView bytes) noexcept {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}
inline unsigned char* octets(MutableBytes bytes) noexcept { return reinterpret_cast<unsigned char*>(bytes.data()); }

}  // namespace sat
